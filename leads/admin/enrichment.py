"""Purchased data: upload, look at it, use it, and see what became of it."""

from itertools import islice

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from leads import enrichment
from leads.admin_parts import Admin, LargeTable
from leads.criteria.base import counted
from leads.models import EnrichmentUpload

BIGGEST_FILE = 50 * 2**20  # bytes
CELL = 80  # characters of a cell in the preview
RELOAD = "3"  # seconds until the page of an upload that is being used shows how far it has come


class UploadForm(forms.ModelForm):
    file = forms.FileField(
        label="CSV file",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,text/csv"}),
        help_text="The first line names the columns; one is called E-mail or Domain",
    )
    matched_by = forms.ChoiceField(
        label="Match rows by",
        required=False,
        choices=[("", "The column there is"), *EnrichmentUpload._meta.get_field("matched_by").choices],
        widget=UnfoldAdminSelectWidget,
        help_text="E-mail address: what is said about people. Domain: about companies.",
    )

    class Meta:
        model = EnrichmentUpload
        fields = ["provider", "matched_by"]
        help_texts = {"provider": "Who sold or gave it to us; kept with every value"}

    def clean_file(self):
        if self.cleaned_data["file"].size > BIGGEST_FILE:
            raise forms.ValidationError("The file is larger than 50 MB. Split it and upload the parts.")
        return self.cleaned_data["file"]

    def clean(self):
        cleaned = super().clean()
        if "file" in cleaned:
            self.body = cleaned["file"].read()
            try:
                enrichment.check(self.body, cleaned.get("matched_by", ""))
            except enrichment.BadFile as bad:
                self.add_error("file", str(bad))
        return cleaned


@admin.register(EnrichmentUpload)
class EnrichmentUploadAdmin(LargeTable, Admin):
    form = UploadForm
    list_display = [
        "provider",
        "file_name",
        "state",
        "rows",
        "matched",
        "filled",
        "kept_back",
        "rejected",
        "at",
    ]
    search_fields = ["provider", "file_name"]
    ordering = ["-id"]
    change_form_outer_before_template = "admin/leads/upload.html"
    empty_text = (
        "Bought data fills what you do not know yet: sizes and industries by domain, job titles by e-mail address."
        " What a rep, the person or an import said stays."
    )

    def get_queryset(self, request):
        return super().get_queryset(request).defer("body")

    def get_fieldsets(self, request, obj=None):
        return [(None, {"fields": [] if obj else ["provider", "file", "matched_by"]})]

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @display(description="State")
    def state(self, upload):
        if upload.finished_at:
            return "Done"
        return f"{upload.done:,} of {counted(upload.rows, 'row')}" if upload.columns else "Not used yet"

    def get_urls(self):
        view = self.admin_site.admin_view(require_POST(self.use))
        return [path("<int:pk>/use/", view, name="leads_enrichmentupload_use"), *super().get_urls()]

    def save_model(self, request, obj, form, change):
        said = form.cleaned_data
        kept = enrichment.upload(
            provider=said["provider"], file_name=said["file"].name, body=form.body, matched_by=said["matched_by"],
            by=request.user, at=timezone.now(),
        )  # fmt: skip
        obj.pk, obj.file_name = kept.pk, kept.file_name

    def response_add(self, request, obj, post_url_continue=None):
        return HttpResponseRedirect(reverse("admin:leads_enrichmentupload_change", args=[obj.pk]))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        upload = self.get_object(request, object_id)
        context = page_of(upload) if upload else {}
        context["may_use"] = self.has_add_permission(request)
        response = super().change_view(request, object_id, form_url, context | (extra_context or {}))
        if upload and upload.columns and not upload.finished_at:
            response["Refresh"] = RELOAD
        return response

    def use(self, request, pk):
        upload = get_object_or_404(EnrichmentUpload, pk=pk)
        if not self.has_add_permission(request):
            raise PermissionDenied
        here = HttpResponseRedirect(reverse("admin:leads_enrichmentupload_change", args=[pk]))
        if upload.columns or upload.body is None:
            messages.warning(request, "This upload has been started already.")
            return here
        header = enrichment.Table.read(upload.body).header
        posted = {name: request.POST.get(f"column-{place}", "") for place, name in enumerate(header)}
        try:
            columns = {name: field for name, field in posted.items() if name and field}
            enrichment.start(upload=upload, columns=columns, at=timezone.now())
        except enrichment.BadFile as bad:
            messages.error(request, str(bad))
        return here


def page_of(upload):
    """What the page of an upload shows: the preview, how far it is, or what became of it."""
    if upload.columns:
        return {"upload": upload, "unmatched": max(upload.done - upload.matched - upload.rejected, 0)}
    table = enrichment.Table.read(upload.body)
    guessed = enrichment.guess_columns(table.header, upload.matched_by)
    fields = [(name, words) for name, (words, _) in enrichment.fields_by(upload.matched_by).items()]
    key = enrichment.key_column(table.header, upload.matched_by)
    examples = [line for _, line in islice(table.lines, enrichment.PREVIEWED)]
    columns = [
        {
            "place": place,
            "name": name,
            "is_key": name == key,
            "field": guessed.get(name, ""),
            "cells": [shown(line.get(name, "")) if isinstance(line, dict) else "…" for line in examples],
        }
        for place, name in enumerate(table.header)
        if name
    ]
    unmapped = [column["name"] for column in columns if not column["field"] and not column["is_key"]]
    return {"upload": upload, "columns": columns, "fields": fields, "unmapped": unmapped}


def shown(cell):
    return cell if len(cell) <= CELL else cell[:CELL] + "…"
