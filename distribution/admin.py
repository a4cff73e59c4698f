"""Who sells and who gets what: reps, teams, queues, routing rules, people with their roles, and the leads' list."""

import rest_framework_api_key.admin  # noqa: F401 - registers what is taken off below
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from rest_framework_api_key.models import APIKey
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from distribution.access import leads_for, sees_all
from distribution.models import (
    CompanyOwner,
    Handoff,
    Notice,
    QueueMember,
    Rep,
    RoutingRule,
    SalesQueue,
    Team,
)
from leads.admin_parts import Admin, AnswersAnything, Inline, LargeTable, ReadOnly
from leads.condition_form import ConditionAdmin, condition_field
from leads.criteria import BadCondition
from leads.criteria.base import counted
from leads.criteria.tree import sentence
from leads.models import Lead
from nurturing import sending
from nurturing.models import Program
from scoring.admin import ScoredLeadAdmin, SegmentAdmin
from scoring.criteria import SCORED_CRITERIA
from scoring.models import Segment

admin.site.unregister([User, Group, APIKey])  # the key model of the product is leads.ApiKey


class ShortLists:
    """People are chosen from plain lists: an organisation has few reps and users, and their names are read once."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.related_model is Rep:
            kwargs["queryset"] = Rep.objects.select_related("user").order_by("user__last_name", "pk")
        if db_field.related_model is User:
            kwargs["queryset"] = User.objects.filter(is_active=True).order_by("last_name", "username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Team)
class TeamAdmin(ShortLists, Admin):
    list_display = ["name", "manager", "rep_count"]
    list_select_related = ["manager"]
    search_fields = ["name"]
    ordering = ["name"]
    fields = ["name", "manager"]
    empty_text = "A team has a manager, who sees its leads and reassigns them. Add the first, then its reps."

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(rep_count_=Count("reps"))

    @display(description="Reps", ordering="rep_count_")
    def rep_count(self, team):
        return team.rep_count_


class RepForm(forms.ModelForm):
    class Meta:
        model = Rep
        fields = ["user", "team", "phone", "is_present", "absent_until", "capacity"]
        labels = {"user": "Person", "is_present": "Present", "capacity": "Open leads at most"}


@admin.register(Rep)
class RepAdmin(ShortLists, Admin):
    form = RepForm
    list_display = ["name", "team", "shown_present", "absent_until", "capacity"]
    list_select_related = ["user", "team"]
    list_filter = [("team", RelatedDropdownFilter), "is_present"]
    search_fields = ["user__first_name", "user__last_name", "user__username"]
    ordering = ["user__last_name", "id"]
    fields = ["user", "team", "phone", "is_present", "absent_until", "capacity"]
    empty_text = "A rep is a person who signs in and gets leads. Add the person under Users first, then here."

    @display(description="Sales rep", ordering="user__last_name")
    def name(self, rep):
        return str(rep)

    @display(description="Present", boolean=True, ordering="is_present")
    def shown_present(self, rep):
        return rep.is_present


class MemberInline(ShortLists, Inline):
    model = QueueMember
    fields = ["rep", "last_assigned_at", "assigned"]
    readonly_fields = ["last_assigned_at", "assigned"]
    verbose_name_plural = "Reps who take turns"


class SalesQueueForm(forms.ModelForm):
    class Meta:
        model = SalesQueue
        fields = ["name", "slug", "team", "first_response_minutes", "is_default", "is_review"]
        labels = {
            "first_response_minutes": "First response within minutes",
            "is_default": "Default queue",
            "is_review": "Review queue",
        }
        help_texts = {"first_response_minutes": "The promise to a sales-ready lead"}

    def clean(self):
        cleaned = super().clean()
        for name, what in (("is_default", "the default queue"), ("is_review", "the review queue")):
            other = SalesQueue.objects.filter(**{name: True}).exclude(pk=self.instance.pk).first()
            if cleaned.get(name) and other:
                self.add_error(name, f"“{other}” is {what} now. Take it off there first.")
        return cleaned


@admin.register(SalesQueue)
class SalesQueueAdmin(Admin):
    form = SalesQueueForm
    list_display = ["name", "team", "member_count", "promise", "shown_default", "shown_review"]
    list_select_related = ["team"]
    search_fields = ["name"]
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MemberInline]
    empty_text = (
        "Sales-ready leads wait in a queue, and its reps take turns. Add one and seat the reps in it."
    )

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(member_count_=Count("members"))

    @display(description="Reps", ordering="member_count_")
    def member_count(self, queue):
        return queue.member_count_

    @display(description="First response", ordering="first_response_minutes")
    def promise(self, queue):
        return f"within {counted(queue.first_response_minutes, 'minute')}"

    @display(description="Default", boolean=True)
    def shown_default(self, queue):
        return queue.is_default

    @display(description="Review by marketing", boolean=True)
    def shown_review(self, queue):
        return queue.is_review


class RoutingRuleForm(forms.ModelForm):
    condition = condition_field(
        RoutingRule, SCORED_CRITERIA, empty="No condition: every lead that no rule before it takes."
    )

    class Meta:
        model = RoutingRule
        fields = ["name", "condition", "queue", "position", "is_active"]
        labels = {
            "condition": "When",
            "queue": "goes to",
            "position": "Asked in this order",
            "is_active": "Active",
        }


@admin.register(RoutingRule)
class RoutingRuleAdmin(ConditionAdmin, Admin):
    form = RoutingRuleForm
    condition_criteria = SCORED_CRITERIA
    list_display = ["position", "name", "when", "queue", "shown_active"]
    list_display_links = ["name"]
    list_select_related = ["queue"]
    search_fields = ["name"]
    ordering = ["position", "id"]
    fields = ["name", "condition", "queue", "position", "is_active"]
    empty_text = "Without a rule every sales-ready lead goes to the default queue. The first rule that matches decides."

    @display(description="When")
    def when(self, rule):
        try:
            return sentence(rule.condition or {}, criteria=SCORED_CRITERIA)
        except BadCondition as bad:
            return f"cannot be read: {bad}"

    @display(description="Active", boolean=True, ordering="is_active")
    def shown_active(self, rule):
        return rule.is_active


@admin.register(CompanyOwner)
class CompanyOwnerAdmin(ShortLists, LargeTable, Admin):
    list_display = ["company", "rep", "shown_named", "since"]
    list_select_related = ["company", "rep__user"]
    list_filter = ["is_named_account"]
    search_fields = ["company__name", "company__domain"]
    ordering = ["-id"]
    raw_id_fields = ["company"]
    fields = ["company", "rep", "is_named_account", "since"]
    empty_text = (
        "The first hand-off gives a company its owner. Add named accounts here, before they raise a hand."
    )

    @display(description="Named account", boolean=True, ordering="is_named_account")
    def shown_named(self, owner):
        return owner.is_named_account

    def get_changeform_initial_data(self, request):
        return {
            "since": timezone.now(),
            "is_named_account": True,
            **super().get_changeform_initial_data(request),
        }


@admin.register(Notice)
class NoticeAdmin(LargeTable, ReadOnly, Admin):
    """Mail to our own people that is uncertain or failed."""

    list_display = ["subject", "rep", "shown_status", "reason", "due_at"]
    list_select_related = ["rep__user"]
    list_filter = [("status", ChoicesDropdownFilter)]
    ordering = ["-id"]
    actions = ["send_again"]
    empty_text = "Every mail to a rep went out. One that fails waits here."
    empty_step = ("admin:distribution_rep_changelist", "Open the reps")

    def get_queryset(self, request):
        needing = [Notice.Status.UNCERTAIN, Notice.Status.FAILED]
        return super().get_queryset(request).filter(status__in=needing)

    @display(description="Status", ordering="status", label={"Uncertain": "warning", "Failed": "danger"})
    def shown_status(self, notice):
        return notice.get_status_display()

    def has_decide_permission(self, request):
        return request.user.has_perm("distribution.change_notice")

    @admin.action(description="Send once more", permissions=["decide"])
    def send_again(self, request, queryset):
        pks = list(queryset.values_list("pk", flat=True)[:200])
        done = sum(sending.send_again(Notice, pk=pk, at=timezone.now()) for pk in pks)
        messages.success(request, f"{done} will be sent once more.")


@admin.register(Lead)
class OwnedLeadAdmin(ScoredLeadAdmin):
    """The leads' list with rating and owner, both read for the whole page at once."""

    def view_on_site(self, lead):
        return reverse("lead-page", args=[lead.pk])

    list_display = [
        "person", "company", "job_title", "rating", "shown_stage", "shown_place", "owner", "source", "created",
    ]  # fmt: skip

    def get_queryset(self, request):
        """Nobody finds here whom the pages of sales do not show them."""
        found = super().get_queryset(request)
        return found if sees_all(request.user) else found.filter(pk__in=leads_for(request.user).values("pk"))

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        ids = [lead.pk for lead in changelist.result_list]
        handoffs = Handoff.objects.filter(lead__in=ids, status__in=Handoff.OPEN)
        owners = {row.lead_id: row for row in handoffs.select_related("owner__user", "queue")}
        for lead in changelist.result_list:
            lead.open_handoff = owners.get(lead.pk)
        return changelist

    @display(description="Owner")
    def owner(self, lead):
        handoff = lead.open_handoff
        if handoff is None:
            return None
        return str(handoff.owner) if handoff.owner_id else f"waiting in {handoff.queue}"


@admin.register(Segment)
class AskedSegmentAdmin(SegmentAdmin):
    """SegmentAdmin that knows who asks for a segment in the apps above scoring."""

    asked_in = (
        ("program", Program, "entry"),
        ("routing rule", RoutingRule, "condition"),
        *SegmentAdmin.asked_in,
    )


@admin.register(User)
class UserAdmin(AnswersAnything, DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "email", "role_names", "is_active"]
    list_filter = ["groups", "is_active"]
    list_per_page = 50
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Roles", {"fields": ["groups", "is_staff", "is_active", "is_superuser"]}),
    ]

    filter_horizontal = ()  # of a handful of roles each is a box to tick

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "groups":
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request, obj=None):
        """Only who may do everything may let others do everything."""
        return () if request.user.is_superuser else ("is_superuser",)

    def has_change_permission(self, request, user=None):
        """Whoever may set the password of somebody can sign in as them."""
        return super().has_change_permission(request, user) and may_decide_about(request, user)

    def has_delete_permission(self, request, user=None):
        return super().has_delete_permission(request, user) and may_decide_about(request, user)

    @display(description="Roles")
    def role_names(self, user):
        return ", ".join(group.name for group in user.groups.all())


def may_decide_about(request, user):
    return user is None or not user.is_superuser or request.user.is_superuser


@admin.register(Group)
class GroupAdmin(AnswersAnything, DjangoGroupAdmin, ModelAdmin):
    """What a role may do is a table in `distribution.access`; it is shown here, not edited."""

    def has_change_permission(self, request, obj=None):
        return False

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
