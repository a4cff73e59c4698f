"""Two at work on one page of the admin: whoever saves second is shown what the first one changed, and loses nothing.

A page carries, signed, what was stored when it was opened. A save compares that with what is stored by then, with the
row held. Where they differ nothing is saved and the form is shown again: what this page left alone is taken over as it
is stored; where both typed, what was typed stays, with what is stored beside it. The next save puts it in its place.
The rows of a table in the form are fields like the others.
"""

import re
from dataclasses import dataclass, field

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone
from django.utils.choices import flatten_choices
from django.utils.datastructures import MultiValueDict
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format

NAME = "_opened"  # of the hidden field
SALT = "leads.admin_meanwhile"
AGAIN = "Saving again puts yours in its place."


class Encoder(DjangoJSONEncoder):
    def default(self, o):
        return o.pk if isinstance(o, models.Model) else super().default(o)


class Serializer(signing.JSONSerializer):
    def dumps(self, obj):
        return Encoder(separators=(",", ":")).encode(obj).encode()


@dataclass
class Meanwhile:
    """What changed since a page was opened, in words."""

    taken: list[str]  # shown as it is stored, as this page left it alone
    both: dict[str, tuple]  # {field: (label, what is stored)}, where both typed
    rows: list[str] = field(default_factory=list)  # the same of rows, a sentence each
    by: str = ""
    opened: str = ""  # for the page that is shown now: what is stored by now

    def __bool__(self):
        return bool(self.taken or self.both or self.rows)

    @property
    def sentences(self):
        for words in self.taken:
            yield f"{words}: you had left this alone, and see it now as it is stored."
        for label, words in self.both.values():
            yield f"{label}: stored is {words}; what you typed is kept."
        yield from self.rows


class ShowsMeanwhile:
    """Mixin of a ModelAdmin."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        opened = read(request.POST.get(NAME, "")) if object_id and "_saveasnew" not in request.POST else None
        if opened is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            request.meanwhile = self.meanwhile(request, unquote(object_id), opened)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def meanwhile(self, request, object_id, opened):
        """The Meanwhile, with its row held; `request.POST` is then as the form is to be shown."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_change_permission(request, obj):
            return None
        list(self.model._base_manager.select_for_update(no_key=True).filter(pk=obj.pk).values_list("pk"))
        obj = self.get_object(request, object_id)
        if obj is None:
            return None
        form, tables = self.as_stored(request, obj)
        posted = request.POST.copy()
        found = Meanwhile(*settle(form, opened["form"], posted))
        for table in tables:
            if table.prefix in opened["tables"]:
                settle_rows(table, opened["tables"][table.prefix], posted, found)
        if found:
            found.by, found.opened = self.who_changed(request, obj, opened["at"]), token(form, tables)
            request.POST = posted
        return found

    def as_stored(self, request, obj):
        form = self.get_form(request, obj, change=True)(instance=obj)
        tables = [
            formset(instance=obj, prefix=formset.get_default_prefix(), queryset=inline.get_queryset(request))
            for formset, inline in self.get_formsets_with_inlines(request, obj)
            if inline.has_change_permission(request, obj)
        ]
        return form, tables

    def who_changed(self, request, obj, since):
        last = (
            LogEntry.objects.filter(
                content_type=ContentType.objects.get_for_model(obj), object_id=str(obj.pk)
            )
            .select_related("user")
            .order_by("-pk")
            .first()
        )
        if last is None or last.action_time.timestamp() < since:
            return "This was changed after you opened it."
        who = "You" if last.user == request.user else last.user.get_full_name() or last.user.get_username()
        when = date_format(timezone.localtime(last.action_time), "DATETIME_FORMAT")
        where = " on another page" if last.user == request.user else ""
        return f"{who} changed this{where} on {when}, after you opened it."

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        meanwhile = getattr(request, "meanwhile", None)
        return type(form.__name__, (Refused, form), {"meanwhile": meanwhile}) if meanwhile else form

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        meanwhile = getattr(request, "meanwhile", None)
        if meanwhile:
            context |= {"opened": meanwhile.opened, "meanwhile": meanwhile, "errors": None}
        elif change and request.method == "POST":  # refused for another reason: still what was seen at first
            context["opened"] = request.POST.get(NAME, "")
        elif change and self.has_change_permission(request, obj):
            tables = [
                one.formset for one in context["inline_admin_formsets"] if one.opts.has_change_permission(request, obj)
            ]  # fmt: skip
            context["opened"] = token(context["adminform"].form, tables)
        return super().render_change_form(request, context, add, change, form_url, obj)


class Refused:
    """Mixin of a form that is shown again because of what changed meanwhile."""

    def is_valid(self):
        super().is_valid()
        return False  # whatever was typed

    def clean(self):
        cleaned = super().clean()
        for name, (_, stored) in self.meanwhile.both.items():
            self.add_error(name, f"Stored now: {stored}. {AGAIN}")
        return cleaned


# --- what was stored when a page was opened ------------------------------------------------------------


def token(form, tables):
    state = {
        "at": timezone.now().timestamp(),
        "form": values_of(form),
        "tables": {table.prefix: rows_of(table) for table in tables},
    }
    return signing.dumps(state, salt=SALT, serializer=Serializer, compress=True)


def read(text):
    """What a token says, or None: a page of before this was there, or not ours."""
    try:
        return signing.loads(text, salt=SALT, serializer=Serializer)
    except signing.BadSignature:
        return None


def values_of(form):
    """{field: what is stored} of what can be typed in, as JSON keeps it."""
    values = {name: form.get_initial_for_field(one, name) for name, one in typed_in(form).items()}
    return signing.JSONSerializer().loads(Serializer().dumps(values))


def typed_in(form):
    return {
        name: one
        for name, one in form.fields.items()
        if not (one.disabled or one.widget.is_hidden or isinstance(one, forms.FileField) or name == "DELETE")
    }


def rows_of(table):
    return {str(row.instance.pk): values_of(row) for row in table.initial_forms}


# --- what is posted, brought up to what is stored -------------------------------------------------------


def settle(form, opened, posted):
    """(what is taken over, {field: (label, what is stored)} where both typed). Writes the former into `posted`."""
    taken, both = [], {}
    stored = values_of(form)
    for name, one in typed_in(form).items():
        was, now = opened.get(name, stored[name]), stored[name]
        if was == now or not differs(one, name, now, posted):
            continue
        words = stored_words(one, now)
        if not differs(one, name, was, posted) and put(one, name, now, posted):
            taken.append(f"{form[name].label} ({words})")
        else:
            both[name] = (form[name].label, words)
    return taken, both


def differs(one, name, value, posted):
    typed = one.widget.value_from_datadict(posted, MultiValueDict(), name)
    return one.has_changed(plain_lines(as_initial(one, value)), plain_lines(typed))


def as_initial(one, value):
    """What JSON kept as a text is a number or an instant again."""
    if isinstance(value, str) and isinstance(
        one, (forms.DecimalField, forms.DateField, forms.DateTimeField, forms.TimeField)
    ):
        return one.to_python(value)
    if isinstance(value, str) and isinstance(one, forms.SplitDateTimeField):
        return parse_datetime(value)
    return value


def plain_lines(value):
    """Browsers end the lines of a text area with two characters."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def put(one, name, value, posted):
    """Whether `value` now stands in `posted`; where it cannot be put, nothing has changed."""
    sent = as_sent(one, name, value)
    before = {key: posted.getlist(key) for key in sent}
    for key, values in sent.items():
        posted.setlist(key, values)
    if not differs(one, name, value, posted):
        return True
    for key, values in before.items():
        posted.setlist(key, values)
    return False


def as_sent(one, name, value):
    """{name: values} as a browser would send the field with this value."""
    value, widget = one.prepare_value(as_initial(one, value)), one.widget
    if isinstance(widget, forms.CheckboxInput):
        return {name: ["on"] if value else []}
    if isinstance(widget, forms.MultiWidget):
        parts = zip(widget.widgets_names, widget.widgets, widget.decompress(value), strict=True)
        return {name + suffix: [part.format_value(each) or ""] for suffix, part, each in parts}
    shown = widget.format_value(value)
    return {name: shown if isinstance(shown, list) else ["" if shown is None else shown]}


def settle_rows(table, opened, posted, found):
    """The same of the rows of a table, with those that came and went; numbered anew in `posted`."""
    stored = {str(row.instance.pk): row for row in table.initial_forms}
    key = table.model._meta.pk.name
    kept, fresh = [], []
    for row in take_rows(table.prefix, posted):
        pk = row.get(key, "")
        if pk in stored:
            settle_row(stored[pk], opened.get(pk, {}), row, found)
            kept.append(row)
        elif not pk:
            fresh.append(row)
        elif "DELETE" not in row and was_typed_in(table, opened.get(pk, {}), row):
            row[key] = ""
            fresh.append(row)
            found.rows.append(f"{row_name(table, row)} was removed; as you changed it, it is a new row now.")
        else:
            found.rows.append(f"{row_name(table, row)} was removed.")
    for pk in [pk for pk in stored if pk not in opened]:
        row, values = MultiValueDict({key: [pk]}), values_of(stored[pk])
        for name, one in typed_in(stored[pk]).items():
            put(one, name, values[name], row)
        kept.append(row)
        found.rows.append(f"{row_name(table, row)} was added.")
    put_rows(table.prefix, kept, fresh, posted)


def settle_row(form, opened, row, found):
    form.prefix = None
    taken, both = settle(form, opened, row)
    name = f"{form.instance._meta.verbose_name.capitalize()} “{form.instance}”"
    found.taken += [f"{name}: {words}" for words in taken]
    found.rows += [f"{name}: {label} is stored as {words} now. {AGAIN}" for label, words in both.values()]


def was_typed_in(table, opened, row):
    return any(differs(one, name, opened.get(name), row) for name, one in typed_in(table.empty_form).items())


def row_name(table, row):
    name = row.get("name") or row.get(table.model._meta.pk.name) or ""
    return f"{table.model._meta.verbose_name.capitalize()} “{name}”"


def take_rows(prefix, posted):
    """The posted rows of a table in their order, taken out of `posted`: {column: values} each."""
    found = {}
    for name in list(posted):
        if match := re.fullmatch(rf"{re.escape(prefix)}-(\d{{1,4}})-(.+)", name):
            found.setdefault(int(match[1]), MultiValueDict()).setlist(match[2], posted.getlist(name))
            del posted[name]
    return [found[number] for number in sorted(found)]


def put_rows(prefix, kept, fresh, posted):
    for number, row in enumerate([*kept, *fresh]):
        for name, values in row.lists():
            posted.setlist(f"{prefix}-{number}-{name}", values)
    posted[f"{prefix}-INITIAL_FORMS"] = str(len(kept))
    posted[f"{prefix}-TOTAL_FORMS"] = str(len(kept) + len(fresh))


# --- in words -------------------------------------------------------------------------------------------


def stored_words(one, value):
    """A stored value as a sentence tells it."""
    if hasattr(one, "stored_words"):
        return one.stored_words(value)
    value = one.prepare_value(value)
    if value in (None, "", []):
        return "empty"
    if isinstance(one, forms.BooleanField):
        return "yes" if value else "no"
    if isinstance(one, forms.ModelChoiceField | forms.ChoiceField):
        labels = {str(key): str(label) for key, label in flatten_choices(one.choices)}
        return ", ".join(
            labels.get(str(each), str(each)) for each in (value if isinstance(value, list) else [value])
        )
    return f"{value:g}" if isinstance(value, float) else "; ".join(str(value).splitlines())
