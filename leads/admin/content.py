"""Products, and what assets are about; and which pages people read that nobody has described yet."""

import re

from django import forms
from django.contrib import admin, messages
from django.utils import timezone
from django.utils.formats import date_format
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from leads import activities, content
from leads.admin_parts import Admin, Inline, LinesField, ProductsField, ReadOnly
from leads.models import Asset, AssetState, BuyingStage, Product


@admin.register(Product)
class ProductAdmin(Admin):
    list_display = ["name", "slug", "cycle_days", "price", "shown_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "cycle_days", "price_from", "price_to", "is_active"]
    empty_text = "What you sell. Content, campaigns and forms name it; from that follows which product a lead probably wants."

    def get_readonly_fields(self, request, obj=None):
        return ["slug"] if obj else []  # content, campaigns and leads know it by its slug

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else self.prepopulated_fields

    @display(description="Price band")
    def price(self, product):
        ends = [f"{end:,.0f}" for end in (product.price_from, product.price_to) if end is not None]
        return " to ".join(ends) or "—"

    @display(description="In use", boolean=True, ordering="is_active")
    def shown_active(self, product):
        return product.is_active


OTHER_SCHEME = re.compile(r"(?!https?://)[a-z][a-z0-9+.\s-]*:", re.IGNORECASE)


class AssetForm(forms.ModelForm):
    buying_stage = forms.ChoiceField(
        label="Made for the buying stage",
        choices=[("", "None of them"), *BuyingStage.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    products = ProductsField(label="About the products")
    tags = LinesField(label="Tags (one per line)", help_text="Your own words, e.g. industry or topic")

    class Meta:
        model = Asset
        fields = ["path", "title", "covers_below", "is_active"]
        labels = {"covers_below": "Also what lies below", "is_active": "In use"}
        help_texts = {
            "path": "As people read it, without host: /pricing, /white-papers/roi. Fixed once made.",
            "covers_below": "Every path that begins with this one counts too",
            "is_active": "Out of use it is about nothing from now on; its history stays.",
        }

    def __init__(self, *args, initial=None, **kwargs):
        asset = kwargs.get("instance")
        state = asset and asset.states.order_by("-since", "-id").first()
        was = {name: getattr(state, name) for name in ("buying_stage", "products", "tags")} if state else {}
        super().__init__(*args, initial=was | (initial or {}), **kwargs)
        if "products" in self.fields:
            self.fields["products"].offer(was.get("products", []))

    def clean_path(self):
        if OTHER_SCHEME.match(self.cleaned_data["path"]):
            raise forms.ValidationError(
                "Write a path such as /pricing, or the address of the page with http:// or https://."
            )
        path = activities.normal_asset(self.cleaned_data["path"])
        if Asset.objects.filter(path=path).exists():
            raise forms.ValidationError("This path is described already. Open it in the list and change it.")
        return path


class StateInline(ReadOnly, Inline):
    model = AssetState
    verbose_name_plural = "What it was about"
    fields = readonly_fields = ["from_", "to", "shown_stage", "shown_products", "shown_tags"]
    ordering = ["-since", "-id"]

    @display(description="From")
    def from_(self, state):
        return moment(state.since)

    @display(description="Until")
    def to(self, state):
        return moment(state.until) if state.until else "now"

    @display(description="Buying stage")
    def shown_stage(self, state):
        return state.get_buying_stage_display() or "—"

    @display(description="Products")
    def shown_products(self, state):
        return ", ".join(state.products) or "—"

    @display(description="Tags")
    def shown_tags(self, state):
        return ", ".join(state.tags) or "—"


def moment(at):
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


@admin.register(Asset)
class AssetAdmin(Admin):
    form = AssetForm
    list_display = ["title", "path", "stage", "about", "readers", "shown_active"]
    list_filter = ["is_active"]
    search_fields = ["title", "path"]
    ordering = ["path"]
    inlines = [StateInline]
    fields = ["path", "title", "covers_below", "buying_stage", "products", "tags", "is_active"]
    list_before_template = "admin/leads/undescribed.html"
    empty_text = (
        "Pages, papers and webinars, with the buying stage they are made for and the products they are about."
        " Describe the first: scores, buying stages and likely products follow."
    )

    def get_readonly_fields(self, request, obj=None):
        return ["path"] if obj else []

    def get_changeform_initial_data(self, request):
        path = request.GET.get("path", "")[:300]
        return super().get_changeform_initial_data(request) | {"path": path}

    def has_delete_permission(self, request, obj=None):
        return False

    def get_inlines(self, request, obj):
        return self.inlines if obj else []

    def changelist_view(self, request, extra_context=None):
        undescribed = content.undescribed()
        return super().changelist_view(request, {"undescribed": undescribed} | (extra_context or {}))

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        assets = list(changelist.result_list)
        states = AssetState.objects.filter(asset__in=assets, until=None)
        states = {state.asset_id: state for state in states}
        names = dict(Product.objects.values_list("slug", "name"))
        counts = content.consumed(asset_ids=[asset.pk for asset in assets], at=timezone.now())
        for asset in assets:
            asset.state, asset.consumed = states.get(asset.pk), counts.get(asset.pk, 0)
            asset.product_names = (
                [names.get(slug, slug) for slug in asset.state.products] if asset.state else []
            )
        changelist.result_list = assets
        return changelist

    @display(description="Buying stage")
    def stage(self, asset):
        return asset.state.get_buying_stage_display() if asset.state and asset.state.buying_stage else "—"

    @display(description="About")
    def about(self, asset):
        return ", ".join([*asset.product_names, *(asset.state.tags if asset.state else [])]) or "—"

    @display(description=f"Consumed in {content.COUNTED_DAYS} days")
    def readers(self, asset):
        most = content.COUNTED_TO
        return f"{most:,} or more" if asset.consumed > most else f"{asset.consumed:,}"

    @display(description="In use", boolean=True, ordering="is_active")
    def shown_active(self, asset):
        return asset.is_active

    def save_model(self, request, obj, form, change):
        obj.save()
        at, said = timezone.now(), form.cleaned_data
        if not obj.is_active:
            content.close(asset=obj, at=at)
            return
        about = {name: said[name] for name in ("buying_stage", "products", "tags")}
        covers_more = change and {"covers_below", "is_active"} & set(form.changed_data)
        if content.classify(asset=obj, at=at, changed=bool(covers_more), **about):
            messages.info(request, "Whoever consumed it is scored again in the background.")
