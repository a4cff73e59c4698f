"""What the demo company sells, publishes and asks beyond the usual: products, assets, fields and lists."""

from datetime import timedelta

from leads import content, lists
from leads.models import Asset, CustomField, DomainList, LeadList, Product

from .population import competitors

LONG_AGO = timedelta(days=1_500)  # described before the first lead came, so that past scores know it

# slug, name, typical days to a deal, price from, to
PRODUCTS = (
    ("planner", "Planwell Planner", 75, 12_000, 60_000),
    ("forecast", "Planwell Forecast", 50, 6_000, 24_000),
    ("floor", "Planwell Floor", 120, 30_000, 140_000),
)
# path, title, everything below it too, buying stage, products, tags
ASSETS = (
    ("/blog", "Blog", True, "awareness", (), ("blog",)),
    ("/white-papers/roi", "White paper: what planning pays", False, "awareness", ("planner",), ("roi",)),
    ("/webinars/planning", "Webinar: planning without overtime", False, "awareness", ("planner",), ("webinar",)),
    ("/events/spring-fair", "Spring fair, booth 12", False, "awareness", (), ("fair",)),
    ("/products", "Products", False, "consideration", (), ()),
    ("/products/forecast", "Planwell Forecast", False, "consideration", ("forecast",), ()),
    ("/products/floor", "Planwell Floor", False, "consideration", ("floor",), ()),
    ("/products/compare", "Three ways to plan, compared", False, "consideration", ("planner",), ("comparison",)),
    ("/case-studies/harbor", "Case study: Harbor Logistics", False, "consideration", ("planner",), ("proof", "roi")),
    ("/case-studies/tundra-foods", "Case study: Tundra Foods", False, "consideration", ("forecast",), ("proof",)),
    ("/webinars/roi-live", "Webinar: your numbers, live", False, "decision", ("planner",), ("roi", "webinar")),
    ("/spec-sheets/series-4", "Data sheet, series 4", False, "decision", ("floor",), ("technical",)),
    ("/pricing", "Prices", True, "decision", (), ("price",)),
    ("/free-trial", "Free trial", False, "decision", ("planner",), ("next step",)),
)  # fmt: skip
# /about, /customers and /integrations/sap are read too, and nobody has said yet what they are about.

ERP_SYSTEMS = ("SAP", "Microsoft Dynamics", "Oracle", "Infor", "None yet", "Another")
# owner, key, label, type, choices, help
FIELDS = (
    ("lead", "erp_system", "ERP system", "choice", ERP_SYSTEMS, "What we would connect to"),
    ("lead", "has_budget", "Has a budget", "yes_no", (), "As the person said"),
    ("company", "contract_end", "Contract ends", "date", (), "End of the contract with another supplier"),
)
COMPETITORS = "competitors"
RIVALS = ("planrival.example", "gridplan.example", "capaciti.example")
VIPS = "trade-fair-2026-vips"
STORIES = "stories-of-the-demo"
# slug, name, note
LISTS = (
    (VIPS, "Trade fair 2026 VIPs", "Invited to the evening at the fair; kept by hand."),
    (STORIES, "Stories of the demo", "Eleven people worth opening: each lead page tells one story."),
)


def load(at):
    """Load what is missing."""
    for slug, name, days, least, most in PRODUCTS:
        Product.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "cycle_days": days,
                "price_from": least,
                "price_to": most,
                "is_demo": True,
            },
        )
    _assets(at - LONG_AGO)
    for position, (owner, key, label, kind, choices, words) in enumerate(FIELDS):
        CustomField.objects.get_or_create(
            owner=owner,
            key=key,
            defaults={
                "label": label,
                "type": kind,
                "choices": list(choices),
                "help_text": words,
                "position": position,
                "is_demo": True,
            },
        )
    for slug, name, note in LISTS:
        LeadList.objects.get_or_create(slug=slug, defaults={"name": name, "note": note, "is_demo": True})
    rivals, created = DomainList.objects.get_or_create(
        slug=COMPETITORS, defaults={"name": "Competitors", "is_demo": True}
    )
    if created:
        lists.add_domains(to=rivals, domains=[*RIVALS, *competitors()], at=at - LONG_AGO)


def _assets(since):
    there = set(Asset.objects.values_list("path", flat=True))
    for path, title, below, stage, products, tags in ASSETS:
        if path not in there:
            asset = Asset.objects.create(path=path, title=title, covers_below=below, is_demo=True)
            content.classify(asset=asset, at=since, buying_stage=stage, products=products, tags=tags)
