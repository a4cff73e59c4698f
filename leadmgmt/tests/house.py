"""The doors of the house: one well-formed request for every route and method, and for every branch that reads more."""

import json
from types import SimpleNamespace

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from distribution import followup, handoff, opportunities
from distribution.followup import CALL_RESULTS, MEETING_STATES
from distribution.handoff import DECLINE_REASONS
from distribution.models import CompanyOwner, QueueMember, Rep
from distribution.opportunities import LOST_REASONS
from distribution.recycling import DISQUALIFY_REASONS, RECYCLE_REASONS
from distribution.tests import cast
from leadmgmt.tests.cast import DECIDES, world
from leadmgmt.tests.doors import Door, admin_routes
from leads.condition_form import ConditionAdmin
from leads.intake import FIELDS
from leads.models import Activity, ApiKey, Company, DomainList, EnrichmentUpload, LeadList
from nurturing.models import EmailTemplate, LocalMail, Program, ProgramVersion, Touch, TrackedLink
from scoring import mix
from scoring.models import ModelVersion, Rule, ScoringModel


def first(table):
    return next(iter(table))


DO = {  # what a rep fills in, by route; every one has `next` beside it
    "handoff-accept": {},
    "handoff-decline": {"reason": first(DECLINE_REASONS), "note": "x"},
    "handoff-disqualify": {"reason": first(DISQUALIFY_REASONS), "note": "x"},
    "log-call": {"result": first(CALL_RESULTS), "note": "x", "next_at": ""},
    "log-mail": {"note": "x", "next_at": ""},
    "log-meeting": {"state": first(MEETING_STATES), "note": "x", "next_at": ""},
    "add-note": {"text": "x"},
    "add-follow-up": {"due_at": "2027-01-02T09:00", "note": "x"},
    "recycle": {"reason": first(RECYCLE_REASONS), "until": "", "note": "x"},
    "give-feedback": {"verdict": "good", "note": "x"},
    "opportunity-open": {"name": "x", "product": "x", "amount": "1200", "expected_close": "2027-02-03"},
    "opportunity-win": {"amount": "1200"},
    "opportunity-lose": {"reason": first(LOST_REASONS), "competitor": "x", "until": ""},
    "follow-up-done": {},
}


def build():
    """Everything that is asked for below, in the database."""
    at = timezone.now()
    cast.installation()
    ada = cast.user("Ada", "Administrator", is_staff=True)
    world(at=at)
    Rep.objects.update(is_present=False)
    QueueMember.objects.create(queue=cast.queue(), rep=Rep.objects.create(user=ada))
    olga, nick = (cast.lead(f"{name}@open.net", created_at=at, updated_at=at) for name in ("olga", "nick"))
    row = cast.handed(olga, at)
    handoff.accept(handoff=row, by=ada, at=at)
    deal = opportunities.open(handoff=row, by=ada, at=at)
    planned = followup.follow_up(handoff=row, by=ada, at=at, due_at=at + cast.DAY)
    offered = cast.handed(nick, at)
    touch = Touch.objects.first()
    link = TrackedLink.objects.create(touch=touch, url="https://us.test/paper")
    mail = LocalMail.objects.create(at=at, message_id="m", sender="a@us.test", recipients="b@us.test", subject="x", why="x",
                                    headers={"X-Touch-ID": str(touch.pk)})  # fmt: skip
    _, key = ApiKey.objects.create_key(name="Everything", scopes=["read", "capture"])
    return SimpleNamespace(
        ada=ada,
        key=key,
        row=row,
        deal=deal,
        planned=planned,
        offered=offered,
        touch=touch,
        link=link,
        mail=mail,
    )


def doors(house):
    return [
        *pages(house),
        *scoring_pages(),
        *acts(house),
        *outside(house),
        *api(house),
        *admin_acts(),
        *admin_pages(),
    ]


def pages(house):
    lead = house.row.lead
    activity = Activity.objects.filter(lead=lead).first()
    before = f"{timezone.now().isoformat()},{activity.pk}"
    return [
        Door("home"),
        Door("my-leads", query={"show": "all", "q": "olga", "page": "1"}),
        Door("team"),
        Door("lead-page", (lead.pk,), {"do": "won", "opportunity": "1"}),
        Door("lead-page", (lead.pk,), {"do": "assign"}, headers={"Hx-Request": "true", "Hx-Target": "action-panel"}),
        Door("lead-score", (lead.pk,), {"as_of": "", "model": "", "format": ""}),
        Door("lead-timeline", (lead.pk,), {"before": before}),
        Door("lead-timeline", (lead.pk,), {"at": str(activity.pk)}),
        Door("marketing", query={"month": ""}),
        Door("gaps"),
        *(
            Door("marketing-leads", query={name: value})
            for name, value in (
                ("month", f"{timezone.now():%Y-%m}"), ("source", "web"), ("became", first(mix.OUTCOMES)), ("again", "1"),
                ("lacks", "lead_field.role"), ("next_step", "none"), ("ready_week", "2026-05-04"), ("given_back", "timing"), ("cursor", ""),
            )
        ),
        Door("mailbox", query={"before": ""}),
        Door("mailbox-mail", (house.mail.pk,)),
        Door("mailbox-html", (house.mail.pk,)),
    ]  # fmt: skip


def scoring_pages():
    model = ScoringModel.objects.get(routes=True)
    draft = ModelVersion.objects.filter(model=model, status="draft").get()
    numbers = {
        "mql_fit": "20",
        "ready_fit": "20",
        "ready_engagement": "30",
        "band_fit_0": "40",
        "band_engagement_0": "40",
    }
    of = (model.slug, draft.number)
    return [
        Door("quality-lead", (model.slug,)),
        Door("model-version", of, {"against": "1"}),
        Door("model-version-progress", of),
        Door("model-version-act", (*of, "comment"), body={"text": "x", "next": ""}),
        Door(
            "model-version-act", (*of, "approve-sales"), body={"seen": timezone.now().isoformat(), "next": ""}
        ),
        Door("model-version-act", (*of, "reopen"), body={"why": "x", "next": ""}),
        Door("model-version-act", (*of, "take-over"), body={"next": ""}),
        Door("lab", (draft.pk,), numbers, each=tuple(numbers)),
        Door("lab-leads", (draft.pk,), numbers | {"show": "became", "below": ""}),
        Door("lab-leads", (draft.pk,), numbers | {"show": "moved", "old": "0", "new": "0"}),
        Door("lab-save", (draft.pk,), body=numbers),
        Door("lab-again", (draft.pk,), body=numbers, each=tuple(numbers)),
    ]


def acts(house):
    of = {"opportunity-win": house.deal, "opportunity-lose": house.deal, "follow-up-done": house.planned}
    of |= dict.fromkeys(("handoff-accept", "handoff-decline", "handoff-disqualify", "recycle"), house.offered)
    rep = Rep.objects.first()
    found = [
        Door(route, (of.get(route, house.row).pk,), body=body | {"next": ""}, each=tuple(body))
        for route, body in DO.items()
    ]
    return [
        *found,
        Door("handoff-assign", (house.offered.pk,), body={"rep": str(rep.pk), "next": ""}),
        Door("rep-presence", (rep.pk,), body={"present": "yes"}),
        Door("undo", body={"undo": str(house.row.pk), "next": ""}),
        Door("sign-out", body={"next": ""}),
    ]


def outside(house):
    token = house.touch.link_token
    answers = {
        "email": "eve@out.net",
        "role": "user",
        "utm_source": "x",
        "hp_website": "",
        "next": "",
        "more": "x",
    }
    return [
        Door("sign-in", query={"next": ""}, by="nobody"),
        Door("sign-in", body={"username": "ada", "password": "x", "next": ""}, by="nobody"),
        Door("healthz", by="nobody"),
        Door("readyz", by="nobody"),
        Door("track-click", (house.link.token,), by="nobody"),
        Door("unsubscribe", (token,), by="nobody"),
        Door("unsubscribe", (token,), body={"List-Unsubscribe": "One-Click"}, by="nobody"),
        Door("resubscribe", (token,), body={}, by="nobody"),
        Door("public-form", ("white-paper",), {"next": ""}, by="nobody"),
        Door(
            "public-form",
            ("white-paper",),
            body=answers,
            each=tuple(answers),
            headers={"Accept": "text/html"},
            by="nobody",
        ),
        Door("public-form-thanks", ("white-paper",), by="nobody"),
        Door(
            "api-form-submissions",
            ("white-paper",),
            body=answers,
            each=tuple(answers),
            json=True,
            by="nobody",
        ),
        Door("api-form-submissions", ("white-paper",), body=answers, each=tuple(answers), by="nobody"),
    ]


def api(house):
    lead = house.row.lead
    taken = dict.fromkeys(FIELDS, None) | {"email": "eve@api.net", "custom": {"erp": "SAP"}}
    return [
        Door("api-leads", query={"page_size": "5"}, by="key"),
        Door(
            "api-leads", body=taken, json=True, by="key", each=tuple(FIELDS), headers={"Idempotency-Key": "1"}
        ),
        Door("api-lead", (lead.pk,), by="key"),
        Door("api-lead-score", (lead.pk,), by="key"),
        Door("api-lead-activities", (lead.pk,), {"page_size": "5"}, by="key"),
        Door("api-schema", by="nobody"),
        Door("api-docs", by="nobody"),
    ]


def admin_acts():
    """What the admin has beyond the pages of its models."""
    rule, model = Rule.objects.filter(version__status="draft").first(), ScoringModel.objects.first()
    program, draft = Program.objects.first(), ProgramVersion.objects.filter(status="draft").first()
    upload = EnrichmentUpload.objects.filter(columns={}).first()
    template, lists = EmailTemplate.objects.first(), (LeadList.objects.first(), DomainList.objects.first())
    typed = {"version": rule.version_id, "kind": "fit", "name": "x", "condition": json.dumps(DECIDES), "who": "", "days": "",
             "points": "5", "min_count": "", "window_days": "", "steps": "", "half_life_days": "", "cap_count": "",
             "cap_points": "", "profile": "", "group": "", "position": "1", "try": "olga"}  # fmt: skip
    choose = {"app_label": "distribution", "model_name": "companyowner", "field_name": "company"}
    return [
        Door("admin:index"),
        Door("admin:app_list", ("leads",)),
        Door("admin:search", query={"s": "x", "page": "1"}),
        Door("admin:login", query={"next": ""}, by="nobody"),
        Door("admin:login", body={"username": "ada", "password": "x", "next": ""}, by="nobody"),
        Door("admin:logout", body={}),
        Door("admin:password_change", body={"old_password": "x", "new_password1": "x", "new_password2": "y"}),
        Door("admin:password_change_done"),
        Door("admin:jsi18n"),
        Door("admin:view_on_site", (1, 1)),
        Door("admin:autocomplete", query=choose | {"term": "a", "page": "1"}),
        Door("admin:auth_user_password_change", (1,), body={"password1": "x", "password2": "y", "usable_password": "true"}),
        Door("admin:scoring_rule_impact", query={"rule": str(rule.pk)}, body=typed),
        Door("admin:scoring_scoringmodel_edit", (model.pk,), body={}),
        Door("admin:scoring_scoringmodel_reviewed", (model.pk,), body={}),
        Door("admin:nurturing_program_edit", (program.pk,), body={}),
        Door("admin:nurturing_programversion_publish", (draft.pk,), body={}),
        Door("admin:nurturing_emailtemplate_preview", body={"subject": template.subject, "body": template.body}),
        Door("admin:leads_enrichmentupload_use", (upload.pk,), body={f"column-{place}": "" for place in range(3)}),
        *(Door(f"admin:leads_{row._meta.model_name}_undo", (row.pk,), body={"step": timezone.now().isoformat()}) for row in lists),
        *(
            Door(f"admin:{page.opts.app_label}_{page.opts.model_name}_condition{which}", **sent)
            for page in admin.site._registry.values() if isinstance(page, ConditionAdmin)
            for which, sent in (
                ("", {"body": {"tree": json.dumps(DECIDES), "scope": "lead", "days": ""}}),
                ("_values", {"query": {"of": "lead_field.job_title", "typed": "v", "kind": "", "property": ""}}),
                ("_values", {"query": {"of": "custom_field.custom.erp", "typed": "s", "kind": "", "property": ""}}),
                ("_values", {"query": {"of": "activity.property", "typed": "d", "kind": "download", "property": "language"}}),
            )
        ),
    ]  # fmt: skip


def typed():
    """What a form of the admin needs beside what its page holds."""
    upload = {"file": "Domain,Employees\nacme.example,3\n"}
    return {
        "admin:auth_user_add": ({"password1": "Correct-horse-7", "password2": "Correct-horse-7"}, {}),
        "admin:scoring_rule_add": ({"points": "5"}, {}),
        "admin:distribution_rep_add": ({"user": str(User.objects.get(username="mia").pk)}, {}),
        "admin:distribution_companyowner_add": (
            {
                "company": str(
                    Company.objects.exclude(pk__in=CompanyOwner.objects.values("company")).first().pk
                )
            },
            {},
        ),
        "admin:leads_enrichmentupload_add": ({}, upload),
        "admin:leads_leadlist_add": ({}, upload),
    }


def admin_pages():
    """The lists and forms that the admin makes out of every model; those that may not be opened refuse by themselves."""
    found, more = [], typed()
    for route, (page, kind) in admin_routes().items():
        row = page.model.objects.filter(state_of(page.model)).order_by("-pk").first()
        args = () if kind in ("changelist", "add") else (row.pk,)
        found.append(Door(route, args))
        if kind in ("add", "change", "delete"):
            body, files = more.get(route, ({}, {}))
            body = {"post": "yes"} if kind == "delete" else {"_save": "1"} | body
            found.append(Door(route, args, body=body, files=files))
        elif kind == "changelist":
            found.append(
                Door(
                    route,
                    body={
                        "action": action(page),
                        "_selected_action": str(row.pk),
                        "select_across": "0",
                        "index": "0",
                    },
                )
            )
    return found


def action(page):
    return next(iter(page.actions or ["delete_selected"]))


def state_of(model):
    """Which row of a model is looked at: one that can be changed."""
    return (
        Q(status="draft")
        if model in (ModelVersion, ProgramVersion)
        else Q(version__status="draft")
        if model is Rule
        else Q()
    )
