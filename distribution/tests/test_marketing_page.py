"""The marketer's home, and the lists behind its figures."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from distribution import marketing, recycling
from distribution.templatetags.pages import where_now
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR
from distribution.tests.pages import finding, read
from leads import content, places
from leads.models import Asset, CustomField, Lead, LeadList, Source
from scoring import approval, mix
from scoring.models import Rule, ScoringModel
from scoring.publish import new_draft, publish

pytestmark = pytest.mark.django_db


def next_button(page):
    return re.search(
        r'class="card finding.*?<a class="button primary" href="([^"]*)">([^<]*)<', page
    ).groups()


def move(leads, at, **to):
    places.move_many(lead_ids=[lead.pk for lead in leads], reason="test", at=at, **to)


@pytest.fixture
def last_month(now):
    """20 leads of last month by one source: 4 sales-ready, 10 nurtured, 5 disqualified, 1 being scored; a test too."""
    at = mix.months(now)[-3] + 10 * DAY
    fair = Source.objects.create(name="Fair", slug="fair")
    leads = cast.some(20, at, fair)
    move(leads[:4], at, stage="sales_ready")
    move(leads[:1], at + DAY, stage="mql", new_cycle=True)
    move(leads[:1], at + 2 * DAY, stage="sales_ready")
    move(leads[4:14], at, place="nurture")
    move(leads[14:19], at, place="disqualified", stage="disqualified")
    cast.lead("test@firm.net", created_at=at, source=fair, is_test=True)
    return at


def test_the_mix_of_a_month(client, max_, last_month):
    page = read(client, "/marketing/")
    row = re.search(rf"<tr[^>]*> <th scope=\"row\"><a[^>]*>{last_month:%B %Y}</a>(.*?)</tr>", page)[1]
    assert re.findall(r">(\d+)</a>", row) == ["20", "4", "10", "5", "1", "1"]  # the last one: again
    assert re.findall(r"(\d+) %", row) == ["20", "50", "25", "5"]
    source = re.search(r'<th scope="row">Fair</th>(.*?)</tr>', page)[1]
    assert re.findall(r">(\d+)</a>", source) == ["20", "4", "10", "5", "1", "1"]


def test_every_figure_opens_exactly_its_leads(client, max_, last_month):
    page = read(client, "/marketing/")
    addresses = re.findall(r'<a href="(/marketing/leads/[^"]*month[^"]*)">(\d+)</a>', page)
    assert len(addresses) >= 12
    for address, count in addresses:
        listed = read(client, address.replace("&amp;", "&"))
        assert re.search(r'<h1>Leads <span class="count">(\d+)</span>', listed)[1] == count, address


def test_what_counts_as_usual_is_said(client, max_, now):
    at = mix.months(now)[-3] + 10 * DAY
    leads = cast.some(46, at)
    move(leads[:5], at, stage="sales_ready")  # 10.9 %
    move(leads[5:35], at, place="nurture")  # 65.2 %
    move(leads[35:39], at, place="disqualified", stage="disqualified")  # 8.7 %
    page = read(client, "/marketing/")
    row = re.search(rf"<tr[^>]*> <th scope=\"row\"><a[^>]*>{at:%B %Y}</a>(.*?)</tr>", page)[1]
    assert re.findall(r"\d+ %(?: above| below)?", strip_tags(row)) == ["11 %", "65 %", "9 % below", "15 %"]
    assert "outside 10–30 % sales-ready, 35–65 % nurture, 10–40 % disqualified, only from 20 leads on" in page


def test_months_are_those_of_the_reader(client, max_):
    at = datetime(2026, 5, 31, 23, 30, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        edges = mix.months(at + 2 * HOUR)
        assert [f"{edge:%Y-%m-%d %H:%M}" for edge in edges[-3:]] == [
            "2026-05-01 00:00",
            "2026-06-01 00:00",
            "2026-07-01 00:00",
        ]
        cast.lead(created_at=at)
        assert [sum(one.total for one in part.values()) for part in mix.mix(edges)] == [0, 0, 0, 0, 0, 1]
    assert mix.month_of("2026-12")[1].strftime("%Y-%m-%d") == "2027-01-01"


@pytest.mark.parametrize("value", ["", "2026", "2026-13", "x", "9999-12", "0000-01", "2026-05'--"])
def test_what_is_no_month_is_none(value):
    assert mix.month_of(value) is None


@pytest.mark.parametrize(
    "query",
    ["month=x", "source=nobody", "became=x", "lacks=lead_field.nothing", "lacks=rating.x", "lacks=x", "cursor=x",
     "given_back=No budget yet", "given_back=timing' OR '1'='1", "given_back=%00", "ready_week=2026-05", "ready_week=9999-12-31",
     "ready_week=%00", "lacks=lead_field.role' OR '1'='1", "source=%00", "became[]=nurture&month=2026-99"],
)  # fmt: skip
def test_a_list_of_nothing_known_is_refused(client, max_, query):
    response = client.get(f"/marketing/leads/?{query}")
    assert response.status_code == 400
    assert "%00" in query or "This list cannot be shown." in response.content.decode()


def test_a_long_list_is_paged_by_position_in_few_queries(client, max_, now, django_assert_max_num_queries):
    cast.some(120, now - DAY)
    with django_assert_max_num_queries(12):
        page = read(client, "/marketing/leads/")
    seen, pages = set(), 0
    while True:
        seen |= set(re.findall(r'href="/leads/(\d+)/"', page))
        pages += 1
        older = re.search(r'href="([^"]*cursor[^"]*)">Older', page)
        if not older:
            break
        page = read(client, "/marketing/leads/" + older[1].replace("&amp;", "&"))
    assert pages == 3 and len(seen) == 120 and "Newest" in page


@pytest.mark.parametrize(
    ("place", "reason", "shown"),
    [
        ("nurture", "Nurture: Webinar track (Given back: Unresponsive, until 3 May 2027)",
         ("Nurture: Webinar track", "Given back: Unresponsive, until 3 May 2027")),
        ("nurture", "Nurture: Webinar track", ("Nurture: Webinar track", "")),
        ("sales", "Asks for sales (Request a demo)", ("Sales", "Asks for sales (Request a demo)")),
        ("parked", "", ("Parked", "")),
    ],
)  # fmt: skip
def test_where_a_lead_is_is_said_once(place, reason, shown):
    assert where_now(Lead(place=place, place_reason=reason)) == shown


def test_a_rating_leads_to_what_counts(client, max_, now):
    cast.warms_up(cast.lead(created_at=now - 40 * DAY), at=now - DAY)
    cast.flow(now)
    assert 'class="rating-link" href="/scoring/starter/"' in read(client, "/marketing/leads/")


def test_home_takes_a_bounded_number_of_queries(client, max_, now, last_month, django_assert_max_num_queries):
    version = new_draft(model=ScoringModel.objects.get(routes=True), by=None)
    for n in range(12):
        CustomField.objects.create(owner="lead", key=f"own{n}", label=f"Own {n}", type="text")
        known = {"is": "custom_field", "field": f"custom.own{n}", "op": "known"}
        Rule.objects.create(version=version, kind="fit", name=f"Own {n}", points=5, condition=known)
    publish(version=version, by=max_, at=now, approved=True)
    with django_assert_max_num_queries(30):
        read(client, "/marketing/")
    with django_assert_max_num_queries(12):
        assert "Own 11" in read(client, "/marketing/gaps/")
    with django_assert_max_num_queries(30):
        read(client, f"/scoring/starter/versions/{version.number}/")


def test_marketers_begin_here_and_reps_do_not_come_here(client, max_):
    assert client.get("/").url == "/marketing/"
    client.force_login(cast.rita().user)
    assert client.get("/marketing/").status_code == 403
    client.force_login(cast.mia())
    assert client.get("/").url == "/sales/team/" and client.get("/marketing/").status_code == 200


def test_a_manager_lists_only_what_they_may_see(client, now):
    cast.some(3, now - DAY)
    client.force_login(cast.mia())
    page = read(client, "/marketing/leads/")
    assert "Only leads of your teams are listed" in page and "No lead is so." in page


# --- what to see first -----------------------------------------------------------------------------


def test_a_rule_gone_bad_comes_first(client, max_, now):
    partners = LeadList.objects.create(name="Partners", slug="partners")
    version = new_draft(model=ScoringModel.objects.get(routes=True), by=None)
    listed = {"is": "in_list", "list": "partners"}
    Rule.objects.create(version=version, kind="fit", name="Partner", points=5, condition=listed)
    publish(version=version, by=max_, at=now, approved=True)
    assert "ceased to work" not in read(client, "/marketing/")
    partners.delete()
    page = read(client, "/marketing/")
    assert finding(page).startswith(f"Part of {version} has ceased to work and holds for nobody. Partner: ")
    assert "there is no list of leads" in finding(page)
    assert next_button(page) == (f"/scoring/starter/versions/{version.number}/", "See what to mend")
    assert "Since it was approved, this has ceased to work" in read(client, next_button(page)[0])


def test_then_an_approval(client, max_, now):
    draft = new_draft(model=ScoringModel.objects.get(routes=True), by=None)
    approval.ask_review(version=draft, by=None, at=now)
    page = read(client, "/marketing/")
    assert finding(page) == f"{draft} waits for your approval." and "Waiting for your approval" in page
    assert next_button(page) == (f"/scoring/starter/versions/{draft.number}/", "Read and approve it")
    approval.approve(version=draft, by=max_, side="marketing", at=now)
    assert "waits for your approval" not in read(client, "/marketing/")


def test_then_leads_without_a_next_step(client, max_, now):
    (lead,) = cast.some(1, now - DAY)
    Lead.objects.filter(pk=lead.pk).update(place="nurture")
    page = read(client, "/marketing/")
    assert finding(page).startswith("1 lead has no next step")
    assert str(lead) in read(client, next_button(page)[0].replace("&amp;", "&"))


def test_then_more_than_sales_wants(client, max_, now):
    ScoringModel.objects.filter(routes=True).update(ready_per_week=1)
    asked = [cast.lead(f"a{n}@firm{n}.net") for n in range(2)]
    for lead in asked:
        cast.asks(lead, now - timedelta(seconds=5))
    cast.flow(now)
    page = read(client, "/marketing/")
    assert (
        finding(page) == "2 leads became sales-ready since Monday; sales wants 1 a week."
        and "2</a> sales-ready since Monday, of 1 a week" in page
    )
    cast.lead("test@firm.net", is_test=True)
    addresses = re.findall(r'<a href="(/marketing/leads/\?ready_week=[^"]*)">2( leads)?</a>', page)
    assert len(addresses) == 2  # in the first sentence, and with the models
    listed = read(client, addresses[0][0])
    assert '<span class="count">2</span>' in listed and "Sales-ready in the week from " in listed
    before = f"{marketing.week_of(now) - 7 * DAY:%Y-%m-%d}"
    assert "No lead is so." in read(client, f"/marketing/leads/?ready_week={before}")
    assert next_button(page)[1] == "Try higher thresholds"


def test_then_a_mix_that_is_not_as_usual(now):
    at = mix.months(now)[-3] + 10 * DAY
    move(cast.some(20, at), at, place="disqualified", stage="disqualified")
    months, _, _ = marketing.mix_rows(now, "")
    found = marketing.finding(
        broken=None, waiting=[], stranded=0, months=months, models=marketing.in_force(now), gaps=[]
    )
    assert found["text"] == f"0 % of the leads of {at:%B %Y} became sales-ready; 10–30 % is usual."
    assert found["label"] == "Try lower thresholds" and "/marketing/lab/" in found["url"]


def test_the_yearly_review_is_due(client, max_, now):
    assert "is due for its review" not in read(client, "/marketing/")
    model = ScoringModel.objects.get(routes=True)
    model.current_version.__class__.objects.filter(pk=model.current_version_id).update(
        published_at=now - 400 * DAY
    )
    assert f"{model} is due for its review" in read(client, "/marketing/")


def test_nothing_at_all_says_what_to_do(client, max_, now):
    page = read(client, "/marketing/")
    assert finding(page) == "There is no lead yet: a form, the API or an import brings the first."
    assert (
        "No lead was captured in" in page and "Set up a form" not in page
    )  # the settings are closed to them
    max_.__class__.objects.update(is_staff=True)
    assert next_button(read(client, "/marketing/")) == ("/admin/leads/captureform/", "Set up a form")
    move([cast.lead(created_at=now - 400 * DAY)], now, place="disqualified", stage="disqualified")
    assert finding(read(client, "/marketing/")) == "No lead has come in the last six months."


def test_a_recycled_lead_counts_once_and_apart(now):
    cast.rita()
    row = cast.handed(cast.lead(created_at=now - 20 * DAY), at=now - 20 * DAY)
    recycling.recycle(handoff=row, by=row.owner.user, reason="timing", until=now - DAY, at=now - 10 * DAY)
    cast.asks(row.lead, now - HOUR)
    cast.flow(now)
    one = mix.sum_of(one for part in mix.mix(mix.months(now)) for one in part.values())
    assert (one.total, one.ready, one.again) == (1, 1, 1)


def test_content_that_nobody_has_described(client, max_, now):
    lead = cast.lead()
    cast.did(lead, "page_view", "/pricing/teams", now, times=3)
    cast.did(lead, "page_view", "/blog", now, times=2)
    cast.did(lead, "hand_raise", "demo-request", now)
    page = read(client, "/marketing/")
    assert (
        "/admin/leads/asset/add/?path=/pricing/teams" in page and "read 3 times lately, not described" in page
    )
    asset = Asset.objects.create(path="/pricing", covers_below=True, title="Prices")
    content.classify(asset=asset, at=now, buying_stage="decision")
    page = read(client, "/marketing/")
    assert "/pricing/teams" not in page and "read 2 times lately" in page
