"""Lists of leads and of domains: filled by paste or file, every step with its date and an undo."""

from datetime import datetime

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from leads import lists
from leads.admin_parts import Admin
from leads.models import DomainList, LeadList, ListMember

BIGGEST_FILE = 20 * 2**20  # bytes
NAMED = 5  # lines of a paste that a message names
SHOWN_DOMAINS = 200


class HandKept(Admin):
    """What both kinds of list share: the state above the form, and undo."""

    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name"]
    ordering = ["name"]
    change_form_outer_before_template = "admin/leads/list_state.html"

    def get_readonly_fields(self, request, obj=None):
        return ["slug"] if obj else []  # conditions know a list by its slug

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else self.prepopulated_fields

    def has_delete_permission(self, request, obj=None):
        return False

    def get_urls(self):
        name = f"leads_{self.opts.model_name}_undo"
        view = self.admin_site.admin_view(require_POST(self.undo))
        return [path("<int:pk>/undo/", view, name=name), *super().get_urls()]

    def undo(self, request, pk):
        row = get_object_or_404(self.model, pk=pk)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        try:
            step = datetime.fromisoformat(request.POST.get("step", ""))
        except ValueError:
            step = None
        count = self.take_back(row, step) if step and step.tzinfo else 0
        if count:
            messages.success(request, f"Undone: {count:,} {self.things(count)} as before.")
        else:
            messages.warning(request, "There is nothing left to undo of this step.")
        return HttpResponseRedirect(reverse(f"admin:leads_{self.opts.model_name}_change", args=[pk]))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, object_id)
        context = {} if row is None else {
            "steps": [
                {"at": at, "step": at.isoformat(), "words": f"{count:,} {self.things(count)} {'put on' if came else 'taken off'}"}
                for at, came, count in lists.last_steps(of=row)
            ],
            "undo": reverse(f"admin:leads_{self.opts.model_name}_undo", args=[row.pk]),
            "may_edit": self.has_change_permission(request, row),
        } | self.state(row)  # fmt: skip
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))


# --- leads ---------------------------------------------------------------------------------------------


class LeadListForm(forms.ModelForm):
    addresses = forms.CharField(
        required=False,
        label="Put on: e-mail addresses",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="Paste them in any form, separated by lines, commas or spaces",
    )
    file = forms.FileField(
        required=False,
        label="… or from a file",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        help_text="CSV or text; every address in it counts, whatever the column",
    )

    class Meta:
        model = LeadList
        fields = ["name", "slug", "note"]
        widgets = {"note": UnfoldAdminTextareaWidget(attrs={"rows": 2})}

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > BIGGEST_FILE:
            raise forms.ValidationError("The file is larger than 20 MB. Split it and upload the parts.")
        return file


@admin.register(LeadList)
class LeadListAdmin(HandKept):
    form = LeadListForm
    list_display = ["name", "members", "note"]
    fields = ["name", "slug", "note", "addresses", "file"]
    empty_text = (
        "A list stays as you keep it: guests of a dinner, a wave of letters. Rules, segments and programs can use it."
        " Fill it by paste, by file, or from the list of leads."
    )

    def get_queryset(self, request):
        count = Count("members", filter=Q(members__until=None))
        return super().get_queryset(request).annotate(member_count=count)

    @display(description="Leads", ordering="member_count")
    def members(self, row):
        return f"{row.member_count:,}"

    def state(self, row):
        count = ListMember.objects.filter(list=row, until=None).count()
        members = f"{reverse('admin:leads_lead_changelist')}?list={row.slug}"
        return {"summary": f"{count:,} {self.things(count)} on this list", "members": members}

    def things(self, count):
        return "lead" if count == 1 else "leads"

    def take_back(self, row, step):
        return lists.undo_step(of=row, step=step, at=timezone.now())

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        text = form.cleaned_data["addresses"]
        if file := form.cleaned_data["file"]:
            text += "\n" + file.read().decode("utf-8-sig", "replace")
        if not text.strip():
            return
        read = lists.leads_by_email(text)
        count = lists.add_to_list(to=obj, lead_ids=read.found, at=timezone.now())
        there = len(read.found) - count
        messages.success(
            request,
            f"{count:,} {self.things(count)} put on; {there:,} {'was' if there == 1 else 'were'} on it already.",
        )
        if read.problems:
            messages.warning(request, problems_in_words(read.problems))


def problems_in_words(problems):
    named = [f"line {line}, “{text}”, {problem}" for line, text, problem in problems[:NAMED]]
    more = f" And {len(problems) - NAMED:,} more." if len(problems) > NAMED else ""
    return f"Not used: {' '.join(named)}{more}"


class OnList(admin.SimpleListFilter):
    """Leads of one list."""

    title = "list"
    parameter_name = "list"

    def lookups(self, request, model_admin):
        return LeadList.objects.order_by("name").values_list("slug", "name")

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        on = ListMember.objects.filter(list__slug=self.value(), until=None).values("lead")
        return queryset.filter(pk__in=on)


class ChooseListForm(forms.Form):
    to = forms.ModelChoiceField(
        LeadList.objects.order_by("name"), required=False, label="List", widget=UnfoldAdminSelectWidget
    )
    new = forms.CharField(
        max_length=100, required=False, label="… or a new one called", widget=UnfoldAdminTextInputWidget
    )

    def clean(self):
        cleaned = super().clean()
        if bool(cleaned.get("to")) == bool(cleaned.get("new")):
            raise forms.ValidationError("Choose a list, or name a new one.")
        return cleaned


class ListActions:
    """Mixin of the leads' admin: put the chosen leads on a list, or take them off."""

    def has_lists_permission(self, request):
        return request.user.has_perm("leads.change_leadlist")

    @admin.action(description="Put on a list …", permissions=["lists"])
    def put_on_list(self, request, queryset):
        return self.with_list(request, queryset, "put_on_list", "Put on a list")

    @admin.action(description="Take off a list …", permissions=["lists"])
    def take_off_list(self, request, queryset):
        return self.with_list(request, queryset, "take_off_list", "Take off a list")

    def with_list(self, request, queryset, action, title):
        """A page that asks which list; posted again with the answer, the verb."""
        asked = "to" in request.POST or "new" in request.POST
        form = ChooseListForm(request.POST if asked else None)
        if action == "take_off_list":
            form.fields.pop("new")
            form.fields["to"].required = True
            form.clean = lambda: form.cleaned_data
        if asked and form.is_valid():
            return self.change_list(request, queryset, action, form.cleaned_data)
        context = self.admin_site.each_context(request) | {
            "title": title, "form": form, "action": action, "opts": self.opts, "count": queryset.count(),
            "selected": request.POST.getlist("_selected_action"), "across": request.POST.get("select_across", "0"),
        }  # fmt: skip
        return render(request, "admin/leads/choose_list.html", context)

    def change_list(self, request, queryset, action, answer):
        at = timezone.now()
        chosen = answer["to"] or LeadList.objects.create(name=answer["new"], slug=free_slug(answer["new"]))
        ids = queryset.order_by("pk").values_list("pk", flat=True)
        if action == "put_on_list":
            count, words = lists.add_to_list(to=chosen, lead_ids=ids, at=at), "put on"
        else:
            count, words = lists.take_off_list(off=chosen, lead_ids=ids, at=at), "taken off"
        leads = "lead" if count == 1 else "leads"
        messages.success(request, f"{count:,} {leads} {words} “{chosen}”. Its page undoes this.")
        return HttpResponseRedirect(reverse("admin:leads_leadlist_change", args=[chosen.pk]))


def free_slug(name):
    slug = slugify(name)[:90] or "list"
    taken = set(LeadList.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(s for s in (slug, *(f"{slug}-{n}" for n in range(2, len(taken) + 3))) if s not in taken)


# --- domains --------------------------------------------------------------------------------------------


class DomainsField(forms.CharField):
    """Domains pasted many at once; every line that is none is named with its number."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def to_python(self, value):
        read = lists.domains_in(super().to_python(value) or "")
        if read.problems:
            raise forms.ValidationError(
                [f"Line {line}: “{text}” {problem}" for line, text, problem in read.problems[: lists.SHOWN]]
            )
        return read.found


class DomainListForm(forms.ModelForm):
    add = DomainsField(
        required=False,
        label="Put on: domains",
        help_text="One per line; addresses of pages and mail are fine. Subdomains of a domain count with it.",
    )
    remove = DomainsField(required=False, label="Take off: domains", help_text="One per line")

    class Meta:
        model = DomainList
        fields = ["name", "slug"]


@admin.register(DomainList)
class DomainListAdmin(HandKept):
    form = DomainListForm
    list_display = ["name", "domains"]
    fields = ["name", "slug", "add", "remove"]
    empty_text = (
        "Domains that belong together: competitors, universities, resellers. Rules and routing can ask whether the"
        " domain of a lead is on one."
    )

    def get_fields(self, request, obj=None):
        return self.fields if obj else self.fields[:-1]

    def get_queryset(self, request):
        count = Count("entries", filter=Q(entries__until=None))
        return super().get_queryset(request).annotate(entry_count=count)

    @display(description="Domains", ordering="entry_count")
    def domains(self, row):
        return f"{row.entry_count:,}"

    def state(self, row):
        current = row.entries.filter(until=None).order_by("domain").values_list("domain", flat=True)
        count = current.count()
        return {
            "summary": f"{count:,} {self.things(count)} on this list",
            "domains": list(current[:SHOWN_DOMAINS]),
            "more": max(count - SHOWN_DOMAINS, 0),
        }

    def things(self, count):
        return "domain" if count == 1 else "domains"

    def take_back(self, row, step):
        return lists.undo_domains(of=row, step=step, at=timezone.now())

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        at = timezone.now()
        if domains := form.cleaned_data.get("add"):
            added = len(lists.add_domains(to=obj, domains=domains, at=at))
            messages.success(
                request, f"{added:,} {self.things(added)} put on. Leads concerned are scored again."
            )
        if domains := form.cleaned_data.get("remove"):
            gone = lists.take_off_domains(off=obj, domains=domains, at=at)
            messages.success(request, f"{len(gone):,} {self.things(len(gone))} taken off.")
            if unknown := sorted(set(domains) - set(gone)):
                messages.warning(request, f"Not on the list: {', '.join(unknown[:NAMED])}.")
