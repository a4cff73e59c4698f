"""What the admin pages of every app share: bounded lists, empty states, read-only pages, plain lists of text."""

from contextlib import suppress

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, ProhibitNullCharactersValidator
from django.db import IntegrityError, models
from django.http import HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format
from psycopg2.errors import UniqueViolation
from unfold.admin import ModelAdmin, TabularInline
from unfold.overrides import FORMFIELD_OVERRIDES_INLINE
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from leads.admin_meanwhile import ShowsMeanwhile
from leads.models import Product

PER_PAGE = 50


MOST = 1_000_000  # of any figure that is typed in: what counts in whole hundredths has an end


class PlainNumber(forms.FloatField):
    """20 rather than 20.0."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.validators += [MinValueValidator(-MOST), MaxValueValidator(MOST)]

    def prepare_value(self, value):
        return f"{value:.15g}" if isinstance(value, float) else value


PLAIN_NUMBERS = {models.FloatField: {"form_class": PlainNumber}}


class AnswersAnything:
    """Mixin of a ModelAdmin: what no page of ours would send is answered in words, as is whoever came second."""

    def response_action(self, request, queryset):
        posted = request.POST.copy()
        posted.setlist(
            ACTION_CHECKBOX_NAME, [key for key in posted.getlist(ACTION_CHECKBOX_NAME) if self.is_key(key)]
        )
        request.POST = posted
        return super().response_action(request, queryset)

    def is_key(self, text):
        try:
            self.opts.pk.run_validators(self.opts.pk.to_python(text))
        except ValidationError:
            return False
        return "\x00" not in text

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as error:
            if not isinstance(error.__cause__, UniqueViolation):
                raise
            messages.error(
                request,
                "Nothing was saved: somebody saved the same at this moment. See what is stored now, and try again.",
            )
            return HttpResponseRedirect(request.get_full_path())


class Admin(AnswersAnything, ShowsMeanwhile, ModelAdmin):
    """A list page of at most 50 rows that never counts the whole table.

    `empty_text` says why the list is empty and what to do; `empty_step` is (URL name, words) of the
    one next step where that is not adding a row.
    """

    formfield_overrides = PLAIN_NUMBERS
    show_full_result_count = False
    list_per_page = PER_PAGE
    list_max_show_all = PER_PAGE
    list_filter_submit = False
    compressed_fields = True
    warn_unsaved_form = True
    empty_value_display = "—"
    empty_text = ""
    empty_step = None

    def get_changeform_initial_data(self, request):
        """From the address, as Django does it, but as its field holds it: some widgets break on text that is no date."""
        held = {}
        for name, text in super().get_changeform_initial_data(request).items():
            with suppress(FieldDoesNotExist, ValidationError, ValueError, TypeError):
                held[name] = self.opts.get_field(name).to_python(text)
        return held


class LargeTable:
    """For tables that grow with the leads: pages of 50 without counting, newest first by the key."""

    paginator = InfinitePaginator
    show_facets = False


class ReadOnly:
    """Kept by the product itself: to be looked at, never typed in."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class Inline(TabularInline):
    """A table inside a form; each control is named after its column, for those who do not see it."""

    formfield_overrides = FORMFIELD_OVERRIDES_INLINE | PLAIN_NUMBERS
    extra = 0
    hide_title = True

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        if formfield:
            label = formfield.label or db_field.verbose_name
            widget = getattr(formfield.widget, "widget", formfield.widget)
            widget.attrs.setdefault("aria-label", str(label))
        return formfield


class LinesField(forms.CharField):
    """A list of texts, one per line."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", UnfoldAdminTextareaWidget(attrs={"rows": 3}))
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)

    def prepare_value(self, value):
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value):
        text = super().to_python(value) or ""
        ProhibitNullCharactersValidator()(text)  # the field's own looks at the list
        lines = text.splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial, data):
        try:
            return (initial or []) != self.to_python(data)
        except ValidationError:  # which cleaning will say
            return True


class ProductsField(forms.MultipleChoiceField):
    """Slugs of products, to be ticked; one that is not sold any more stays until somebody takes it off."""

    def __init__(self, **kwargs):
        super().__init__(required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget, **kwargs)

    def offer(self, chosen):
        names = dict(Product.objects.filter(is_active=True).values_list("slug", "name"))
        gone = {slug: f"{slug} (not in use)" for slug in chosen if slug not in names}
        self.choices = list((names | gone).items())
        if not self.choices:
            self.help_text = "There are no products yet. Add them under Products."


def since_words(version):
    """Which version is in force and since when, of what has versions: "v3 since 2 Mar 2026"."""
    if version is None or version.published_at is None:
        return "not published"
    return f"v{version.number} since {date_format(timezone.localtime(version.published_at))}"
