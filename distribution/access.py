"""Who may do what: roles, routes and the leads a person may see, all in this file.

A route that is missing in ROUTES is refused, so a new page is closed until a row opens it.
"""

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse

from distribution.models import Handoff, QueueMember, Rep, Team
from leads.models import Lead


class Role:
    """Names of the groups; a person may be in several."""

    MARKETER = "Marketer"
    REP = "Sales rep"
    MANAGER = "Sales manager"
    ADMIN = "Administrator"


ALL_ROLES = {Role.MARKETER, Role.REP, Role.MANAGER, Role.ADMIN}
SALES = {Role.REP, Role.MANAGER, Role.ADMIN}
REVIEW = SALES | {Role.MARKETER}  # marketers also decide about competitors in the review queue

PUBLIC = "public"  # anybody, signed in or not
SIGNED_IN = "signed in"  # anybody with an account
STAFF = "staff"  # is_staff, then Django's own model permissions
API_KEY = "API key"  # the API's own authentication and scopes

# url name → who. The views of one object narrow it further with leads_for and handoffs_for.
ROUTES = {
    "home": SIGNED_IN,
    "sign-in": PUBLIC,
    "sign-out": PUBLIC,
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "public-form": PUBLIC,
    "public-form-thanks": PUBLIC,
    "track-click": PUBLIC,
    "unsubscribe": PUBLIC,
    "resubscribe": PUBLIC,
    "mailbox": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "mailbox-mail": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "mailbox-html": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "my-leads": SALES,
    "team": {Role.MANAGER, Role.ADMIN},
    "quality-lead": ALL_ROLES,
    "model-version": ALL_ROLES,
    "model-version-progress": ALL_ROLES,
    "model-version-act": ALL_ROLES,  # commenting is for all; the view asks for the permission of every other step
    "lead-page": ALL_ROLES,
    "lead-timeline": ALL_ROLES,
    "lead-score": ALL_ROLES,
    "handoff-accept": SALES,
    "handoff-decline": REVIEW,
    "handoff-assign": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "handoff-disqualify": REVIEW,
    "log-call": SALES,
    "log-mail": SALES,
    "log-meeting": SALES,
    "add-note": SALES,
    "add-follow-up": SALES,
    "follow-up-done": SALES,
    "recycle": SALES,
    "opportunity-open": SALES,
    "opportunity-win": SALES,
    "opportunity-lose": SALES,
    "give-feedback": SALES,
    "undo": REVIEW,
    "rep-presence": {Role.MANAGER, Role.ADMIN},
    "marketing": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "marketing-leads": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "gaps": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "lab": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "lab-leads": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "lab-again": {Role.MARKETER, Role.MANAGER, Role.ADMIN},
    "lab-save": {Role.MARKETER, Role.ADMIN},
}

# Beginnings of paths that are governed as a whole.
PREFIXES = {
    "admin/": STAFF,
    "api/": API_KEY,
}


def rule_of(route, name):
    """Who may open a route: a set of roles, one of the words above, or None (nobody)."""
    for prefix, rule in PREFIXES.items():
        if route.startswith(prefix):
            return rule
    return ROUTES.get(name)


def roles(user):
    """Names of the roles of a user, read once per user object."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    if not hasattr(user, "_roles"):
        user._roles = frozenset(user.groups.values_list("name", flat=True))
        if user.is_superuser:
            user._roles |= {Role.ADMIN}
    return user._roles


def may_open(user, rule):
    if rule in (PUBLIC, API_KEY):
        return True
    if rule is None or not user.is_authenticated:
        return False
    if rule == SIGNED_IN:
        return True
    if rule == STAFF:
        return user.is_staff
    return not rule.isdisjoint(roles(user))


class AccessMiddleware:
    """Asks ROUTES before any view runs."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        match = request.resolver_match
        rule = rule_of(match.route, match.view_name)
        if rule in (PUBLIC, API_KEY):
            return None
        if rule is not None and not request.user.is_authenticated:
            return sign_in_first(request)
        if not may_open(request.user, rule):
            raise PermissionDenied(refusal(request.user, rule))
        return None


def refusal(user, rule):
    """Why, in words for the person who is refused."""
    mine = " and ".join(sorted(roles(user))) or "no role yet"
    if isinstance(rule, set | frozenset):
        return f"This is for: {', '.join(sorted(rule))}. Your account is: {mine}."
    return f"This is not open to your account ({mine})."


def sign_in_first(request):
    """Pages go to the sign-in and come back; a part of a page asks htmx to go there as a whole."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=401, headers={"HX-Redirect": resolve_url("sign-in")})
    back = request.get_full_path() if request.method == "GET" else reverse("home")
    return redirect_to_login(back)


# --- which leads, which hand-offs ----------------------------------------------------------------


def sees_all(user):
    return not {Role.MARKETER, Role.ADMIN}.isdisjoint(roles(user))


def _mine(user):
    """Condition on hand-offs: those that a rep or a manager may see."""
    mine = Q(pk__in=[])
    if Role.REP in roles(user):
        seats = QueueMember.objects.filter(rep__user=user).values("queue")
        mine |= Q(owner__user=user) | Q(
            status=Handoff.Status.WAITING, queue__in=seats, queue__is_review=False
        )
    if Role.MANAGER in roles(user):
        teams = Team.objects.filter(manager=user).values("pk")
        mine |= (
            Q(owner__team__in=teams)
            | Q(queue__team__in=teams)
            # What belongs to no team must not be out of every manager's sight.
            | Q(status=Handoff.Status.WAITING, queue__team__isnull=True, queue__is_review=False)
        )
    return mine


def handoffs_for(user):
    """Hand-offs that a user may see: a rep's own and those waiting in their queues, a manager's
    teams', everything for marketers and administrators."""
    if sees_all(user):
        return Handoff.objects.all()
    if roles(user).isdisjoint(ALL_ROLES):
        return Handoff.objects.none()
    return Handoff.objects.filter(_mine(user))


def leads_for(user):
    """Leads that a user may see: all for marketers and administrators, else those of the
    hand-offs they may see, past ones included, so that a link in a mail keeps working."""
    if sees_all(user):
        return Lead.objects.all()
    if roles(user).isdisjoint(ALL_ROLES):
        return Lead.objects.none()
    return Lead.objects.filter(Exists(handoffs_for(user).filter(lead=OuterRef("pk"))))


def may_work(user, handoff):
    """May this user act on this hand-off (log, note, recycle …)? Marketers: only in review."""
    if Role.ADMIN in roles(user):
        return True
    if Role.MARKETER in roles(user) and handoff.queue.is_review:
        return True
    return Handoff.objects.filter(pk=handoff.pk).filter(_mine(user)).exists()


def may_assign(user, handoff):
    """May this user give the hand-off to a rep? Managers within their teams; in review, marketers."""
    if Role.ADMIN in roles(user):
        return True
    if handoff.queue.is_review:
        return Role.MARKETER in roles(user)
    return Role.MANAGER in roles(user) and may_work(user, handoff)


def reps_of(user):
    """Reps whose leads and presence this person may change: their teams', or all for an administrator."""
    return active_reps() if Role.ADMIN in roles(user) else active_reps().filter(team__manager=user)


def candidates(user, row):
    """Who may be given this hand-off: what a marketer let pass in review may go to anybody."""
    return active_reps() if row.queue.is_review else reps_of(user)


def active_reps():
    return (
        Rep.objects.filter(user__is_active=True)
        .select_related("user", "team")
        .order_by("user__last_name", "user__first_name")
    )


# --- the admin ------------------------------------------------------------------------------------

EVERYTHING = ("view", "add", "change", "delete")
EDIT = ("view", "add", "change")
FIX = ("view", "change")
READ = ("view",)

# group → model ("app.*" = every model of the app) → what it may do in the admin. Later rows win.
MODEL_PERMISSIONS = {
    Role.MARKETER: {
        "leads.*": READ,
        "leads.lead": FIX,
        "leads.company": FIX,
        "leads.source": EDIT,
        "leads.campaign": EDIT,
        "leads.captureform": EDIT,
        "leads.question": EVERYTHING,
        "leads.suppression": ("view", "add"),  # lifted, never deleted
        "leads.enrichmentupload": ("view", "add"),
        "leads.product": EVERYTHING,
        "leads.asset": EDIT,
        "leads.customfield": EDIT,
        "leads.declaredproperty": EDIT,
        "leads.leadlist": EDIT,
        "leads.domainlist": EDIT,
        "leads.domainentry": EDIT,
        "scoring.*": READ,
        "scoring.scale": EDIT,
        "scoring.scoringmodel": EDIT,
        "scoring.modelversion": EDIT,
        "scoring.rule": EVERYTHING,
        "scoring.profile": EVERYTHING,
        "scoring.rulegroup": EVERYTHING,
        "scoring.segment": EVERYTHING,
        "nurturing.*": READ,
        "nurturing.emailtemplate": EDIT,
        "nurturing.program": EDIT,
        "nurturing.programversion": EDIT,
        "nurturing.step": EVERYTHING,
        "nurturing.touch": FIX,  # decide about mail that is uncertain or failed
        "distribution.*": READ,
        "distribution.routingrule": EVERYTHING,
    },
    Role.REP: {},
    Role.MANAGER: {
        "leads.lead": READ,
        "leads.company": FIX,
        "scoring.*": READ,
        "distribution.*": READ,
        "distribution.team": FIX,
        "distribution.rep": EDIT,
        "distribution.salesqueue": EDIT,
        "distribution.queuemember": EVERYTHING,
        "distribution.routingrule": EVERYTHING,
        "distribution.companyowner": EVERYTHING,
    },
    Role.ADMIN: {
        "leads.*": EDIT,
        "leads.apikey": EVERYTHING,
        "leads.question": EVERYTHING,
        "scoring.*": EDIT,
        "scoring.rule": EVERYTHING,
        "scoring.profile": EVERYTHING,
        "scoring.rulegroup": EVERYTHING,
        "scoring.segment": EVERYTHING,
        "nurturing.*": EDIT,
        "nurturing.step": EVERYTHING,
        "distribution.*": EDIT,
        "distribution.queuemember": EVERYTHING,
        "distribution.routingrule": EVERYTHING,
        "distribution.companyowner": EVERYTHING,
        "auth.user": EVERYTHING,
        "auth.group": READ,
    },
}


# group → permissions that are about an act, not about editing a model.
ACTS = {
    Role.MARKETER: {("scoring", "approve_for_marketing")},
    Role.REP: set(),
    Role.MANAGER: {("scoring", "approve_for_sales")},
    Role.ADMIN: {("scoring", "approve_for_marketing"), ("scoring", "approve_for_sales")},
}


def codenames(role, models):
    """(app label, codename) pairs of a role; `models` = (app label, model name) of every model."""
    table = MODEL_PERMISSIONS[role]
    wanted = set(ACTS[role])
    for app, model in models:
        actions = table.get(f"{app}.{model}", table.get(f"{app}.*", ()))
        wanted |= {(app, f"{action}_{model}") for action in actions}
    return wanted


def sync_roles(permissions, groups):
    """Make the four groups and give them exactly what MODEL_PERMISSIONS says.

    Takes the two model classes so that a migration can pass its historical ones. Runs after every
    migrate (distribution.apps); a test compares table and database.
    """
    rows = list(permissions.objects.select_related("content_type"))
    models = {(row.content_type.app_label, row.content_type.model) for row in rows}
    for role in MODEL_PERMISSIONS:
        group, _ = groups.objects.get_or_create(name=role)
        wanted = codenames(role, models)
        group.permissions.set([row for row in rows if (row.content_type.app_label, row.codename) in wanted])
