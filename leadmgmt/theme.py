"""How the admin looks and what its sidebar lists: the settings of its theme."""

from django.templatetags.static import static
from django.urls import reverse_lazy


def section(title, *entries):
    """A part of the admin's sidebar: (words, icon, model or URL name); a model is shown to who may see it."""
    return {"title": title, "separator": True, "items": [entry(*each) for each in entries]}


def entry(title, icon, model):
    if "." not in model:
        return {"title": title, "icon": icon, "link": reverse_lazy(model)}
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


UNFOLD = {
    "SITE_TITLE": "leadmgmt",
    "SITE_HEADER": "leadmgmt",
    "SITE_SUBHEADER": "Settings",
    "SITE_SYMBOL": "conversion_path",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/mark.svg")}
    ],
    "STYLES": [lambda request: static("css/admin.css")],
    "SCRIPTS": [lambda request: static("js/admin-names.js")],
    "COLORS": {  # the accent of static/css/app.css
        "primary": {
            "50": "#f3f5fe",
            "100": "#eaedfb",
            "200": "#d3daf7",
            "300": "#b3bef2",
            "400": "#a3b3ff",
            "500": "#6f82ec",
            "600": "#3c4fc9",
            "700": "#2e3fae",
            "800": "#2a388c",
            "900": "#232b4c",
            "950": "#191f3a",
        }
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            section("Marketing", ("Marketing home", "home", "marketing")),
            section(
                "Capture",
                ("Capture forms", "assignment", "leads.captureform"),
                ("Submissions", "inbox", "leads.submission"),
                ("Lead sources", "signpost", "leads.source"),
                ("Campaigns", "campaign", "leads.campaign"),
                ("Custom fields", "tune", "leads.customfield"),
                ("API keys", "key", "leads.apikey"),
            ),
            section(
                "Content",
                ("Assets", "description", "leads.asset"),
                ("Products", "inventory_2", "leads.product"),
                ("Properties of activities", "label", "leads.declaredproperty"),
            ),
            section(
                "People",
                ("Leads", "person", "leads.lead"),
                ("Companies", "apartment", "leads.company"),
                ("Lists of leads", "playlist_add_check", "leads.leadlist"),
                ("Lists of domains", "domain_verification", "leads.domainlist"),
                ("Purchased data", "database_upload", "leads.enrichmentupload"),
                ("Do not contact", "block", "leads.suppression"),
            ),
            section(
                "Scoring",
                ("Scoring models", "speed", "scoring.scoringmodel"),
                ("Rating scales", "grid_on", "scoring.scale"),
                ("Segments", "filter_alt", "scoring.segment"),
            ),
            section(
                "Nurturing",
                ("Programs", "timeline", "nurturing.program"),
                ("E-mail templates", "mail", "nurturing.emailtemplate"),
                ("Mail to decide on", "report", "nurturing.touch"),
                ("Local mailbox", "drafts", "mailbox"),
            ),
            section(
                "Sales",
                ("Queues", "group_work", "distribution.salesqueue"),
                ("Routing rules", "alt_route", "distribution.routingrule"),
                ("Reps", "badge", "distribution.rep"),
                ("Teams", "groups", "distribution.team"),
                ("Company owners", "handshake", "distribution.companyowner"),
                ("Failed notices", "notification_important", "distribution.notice"),
            ),
            section(
                "Access",
                ("Users", "manage_accounts", "auth.user"),
                ("Roles", "shield_person", "auth.group"),
            ),
        ],
    },
}
