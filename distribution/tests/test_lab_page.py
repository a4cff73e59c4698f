"""The lab's page: what a draft would change, other thresholds at once, saving them, and the lists behind the figures."""

import re

import pytest
from django.core.cache import cache
from django.utils import timezone

from distribution import lab as sales
from distribution import opportunities
from distribution.models import Handoff, Rep
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR
from distribution.tests.pages import read
from scoring import approval, lab
from scoring.models import ModelVersion, ScoringModel
from scoring.publish import new_draft

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forget():
    cache.clear()


@pytest.fixture
def draft(now):
    """A draft of the starter model; Sarah is warm by it, Tom is only known."""
    sarah = cast.lead(created_at=now - 60 * DAY)
    cast.warms_up(sarah, at=now - 2 * DAY)
    cast.lead("tom@acme.net", first_name="Tom", role="", created_at=now - 60 * DAY)
    cast.flow(now)
    return new_draft(model=ScoringModel.objects.get(routes=True), by=None)


def page_of(client, draft, **asked):
    return read(client, f"/marketing/lab/{draft.pk}/", asked)


def study_of(version):
    return cache.get(f"lab:{lab.fingerprint(version)}:{version.model.current_version_id}")


def figures(page):
    return [
        re.sub(r"<[^>]*>", "", figure).strip()
        for figure in re.findall(
            r"<dd>(.*?)</dd>", re.search(r'class="card-body figures lab-figures">(.*?)</dl>', page)[1]
        )
    ]


def test_an_unchanged_draft_changes_nothing(client, max_, draft):
    page = page_of(client, draft)
    assert figures(page) == ["1", "1", "0", "0"]
    assert "0 of 2 leads. Every figure opens its leads." in page
    assert "0.1 sales-ready leads a week, as in force." in page
    assert "No hand-off has ended yet" in page and "Save these thresholds" not in page


def test_thresholds_move_all_of_it_and_only_when_saved_the_draft(client, max_, draft):
    page = page_of(client, draft, ready_engagement=45)
    assert figures(page) == ["1", "0", "0", "−1"]
    assert "0.0 sales-ready leads a week, 0.1 in force." in page
    assert ModelVersion.objects.get(pk=draft.pk).ready_engagement == 30
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([-\d.]+)"', page))
    assert sent["ready_engagement"] == "45" and "Save these thresholds in the draft" in page
    response = client.post(f"/marketing/lab/{draft.pk}/thresholds/", sent, follow=True)
    assert "Next: ask marketing and sales to review it." in response.content.decode()
    saved = ModelVersion.objects.get(pk=draft.pk)
    assert saved.ready_engagement == 45 and saved.mql_fit == draft.mql_fit
    assert ScoringModel.objects.get(routes=True).current_version.ready_engagement == 30


def test_bands_of_the_rating_move_the_matrix(client, max_, draft):
    page = page_of(client, draft, band_fit_0=90)
    cell = re.search(r'<td class="num down"><a href="([^"]*)">1<', page)
    listed = client.get(cell[1].replace("&amp;", "&")).content.decode()
    assert "Leads that go from A to B" in listed and "Sarah Miller" in listed and "Tom" not in listed


def test_lists_of_who_becomes_and_who_stops(client, max_, draft):
    stops = page_of(client, draft, ready_engagement=45)
    address = re.search(r'Stop being so</dt><dd><a href="([^"]*)"', stops)[1].replace("&amp;", "&")
    listed = client.get(address).content.decode()
    assert "Leads that would no longer be sales-ready" in listed and "Sarah Miller" in listed
    assert listed.count('class="rating-link" href="/scoring/starter/"') == 2
    assert "fit 45, engagement 43" in re.sub(r"\s+", " ", listed)


def test_only_the_results_are_sent_to_a_moving_slider(client, max_, draft):
    response = client.get(
        f"/marketing/lab/{draft.pk}/",
        {"ready_fit": 90},
        headers={"HX-Request": "true", "HX-Target": "lab-results"},
    )
    page = response.content.decode()
    assert page.lstrip().startswith('<div class="stack" id="lab-results">') and "<html" not in page


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ready_fit": "x"}, "Enter a number."),
        ({"mql_fit": "60"}, "Sales-ready needs at least the fit of an MQL"),
        ({"band_fit_0": "10"}, "list the bands best first"),
        ({"ready_engagement": "1e9"}, "less than or equal to 1000"),
        ({"ready_engagement": "nan"}, "Enter a number."),
    ],
)
def test_nonsense_is_named_and_nothing_is_saved(client, max_, draft, asked, said):
    assert said in page_of(client, draft, **asked)
    client.post(f"/marketing/lab/{draft.pk}/thresholds/", asked)
    assert ModelVersion.objects.get(pk=draft.pk).ready_fit == draft.ready_fit


@pytest.mark.parametrize(
    "query",
    [
        "",
        "show=moved",
        "show=moved&old=9&new=0",
        "show=moved&old=x&new=0",
        "show=' OR 1=1",
        "show=moved&old=-2&new=0",
    ],
)
def test_an_unknown_list_is_not_found(client, max_, draft, query):
    assert client.get(f"/marketing/lab/{draft.pk}/leads/?{query}").status_code == 404


def test_a_version_in_review_is_tried_but_not_changed(client, max_, draft, now):
    approval.ask_review(version=draft, by=None, at=now)
    page = page_of(client, draft, ready_engagement=45)
    assert "Save these thresholds" not in page and "make a draft of it" in page
    response = client.post(f"/marketing/lab/{draft.pk}/thresholds/", {"ready_engagement": 45}, follow=True)
    assert "only a draft can be changed" in response.content.decode()
    assert ModelVersion.objects.get(pk=draft.pk).ready_engagement == 30


def test_a_manager_looks_and_a_rep_does_not(client, draft):
    client.force_login(cast.mia())
    assert "Save these" not in page_of(client, draft, ready_engagement=45)
    assert client.post(f"/marketing/lab/{draft.pk}/thresholds/").status_code == 403
    client.force_login(cast.rita().user)
    assert client.get(f"/marketing/lab/{draft.pk}/").status_code == 403
    assert client.get("/marketing/lab/0/").status_code == 403


def test_a_manager_sees_only_leads_of_the_teams_in_a_list(client, draft, now):
    rita = cast.rita(team=cast.team(cast.mia()))
    cast.handed(cast.lead("handed@firm.net", first_name="Handed", created_at=now - DAY), at=now - HOUR)
    client.force_login(rita.team.manager)
    version = draft.model.current_version
    listed = client.get(f"/marketing/lab/{version.pk}/leads/?show=moved&old=2&new=2").content.decode()
    assert "Tom" not in listed and "1 more on this page belong to other teams." in re.sub(r"\s+", " ", listed)
    for rating in range(4):
        listed += client.get(
            f"/marketing/lab/{version.pk}/leads/?show=moved&old={rating}&new={rating}"
        ).content.decode()
    assert "Handed Miller" in listed


def test_it_says_how_far_it_is_and_ends_in_the_page(client, max_, draft, monkeypatch):
    monkeypatch.setattr(lab, "CHUNK", 1)
    monkeypatch.setattr("distribution.views.lab.STEP", 0)
    page = page_of(client, draft)
    assert "Trying it on every lead: 50 %" in page and "1 of 2 leads" in page
    assert re.search(r"<noscript>.*Try it on the next leads.*</noscript>", page) and "Continue" not in page
    waiting = {"HX-Request": "true", "HX-Target": "lab-progress"}
    for _ in range(4):
        response = client.get(f"/marketing/lab/{draft.pk}/", headers=waiting)
    assert response["HX-Retarget"] == response["HX-Reselect"] == "main"
    assert "Who changes rating" in response.content.decode()


def test_it_says_of_when_it_is_and_studies_again(client, max_, draft):
    page = page_of(client, draft, ready_fit=36)
    at = timezone.localtime(study_of(draft).at)
    assert re.search(rf"Of 2 leads as they were at <time[^>]*>{at:%H:%M}</time>", page)
    assert "Rules and approval of v2" in page
    cast.lead("new@firm.net", created_at=at - DAY)
    assert "Of 2 leads" in page_of(client, draft)
    hidden = re.search(r'action="([^"]*/again/)">(.*?)</form>', page)
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([-\d.]+)"', hidden[2]))
    response = client.post(hidden[1], sent)
    assert response.url == f"/marketing/lab/{draft.pk}/?ready_fit=36"
    assert "Of 3 leads" in page_of(client, draft)
    old = study_of(draft)
    page_of(client, draft)
    assert study_of(draft).at == old.at  # once is enough


def test_from_the_version_to_the_lab_and_back(client, draft):
    lab_page, version_page = f"/marketing/lab/{draft.pk}/", f"/scoring/starter/versions/{draft.number}/"
    for person in (cast.max_(), cast.mia()):
        client.force_login(person)
        assert f'href="{lab_page}">Try it on all leads' in client.get(version_page).content.decode()
        assert f'href="{version_page}"' in page_of(client, draft)
    client.force_login(cast.rita().user)
    assert "Try it on all leads" not in client.get(version_page).content.decode()


def test_a_week_beyond_what_sales_can_take_is_marked_on_both_sides(client, max_, draft, now):
    ScoringModel.objects.update(ready_per_week=1)
    for n in range(2):
        cast.asks(cast.lead(f"hand{n}@firm{n}.net", created_at=now - 20 * DAY), now - DAY)
    page = page_of(client, draft)
    last = re.findall(r'<tr><th scope="row">\w+ \d+ \w+</th>(.*?)</tr>', page)[-1]
    assert re.findall(r'>(\d+) <span class="bad-text">over<', last) == ["3", "3"]


def test_a_model_that_does_not_route_is_held_against_nobody(client, max_, draft, now):
    ScoringModel.objects.update(ready_per_week=1, routes=False)
    page = page_of(client, draft)
    assert "This model informs and passes nobody to sales until it decides." in page
    assert "This model passes nobody to sales." in page and "sales can take" not in page
    assert "lab-finding neutral" in page and "#allclear" not in page


@pytest.fixture
def first(draft):
    """The first version of another model, by the rules of the starter model but the engagement that is ready."""
    version = new_draft(model=ScoringModel.objects.create(name="Other", slug="other"), by=None, of=draft)
    ModelVersion.objects.filter(pk=version.pk).update(ready_engagement=45)
    return version


def test_the_first_version_of_a_model_stands_beside_the_one_that_decides(client, max_, first):
    decides = str(ScoringModel.objects.get(routes=True).current_version)
    page = page_of(client, first)
    assert f"against {decides}, which decides, as no version of its own model is in force yet." in page
    assert f"0.0 sales-ready leads a week, 0.1 by {decides}, which decides." in page
    assert "This model passes nobody to sales until it decides." in page and "#allclear" not in page
    assert (
        page.count(f"In force: {decides}") >= 4
        and f"{decides}: " not in page
        and figures(page) == ["1", "0", "0", "−1"]
    )
    assert "0 of 2 leads. Every figure opens its leads." in page
    listed = client.get(f"/marketing/lab/{first.pk}/leads/?show=stopped").content.decode()
    assert f"Other v1 against {decides}." in listed and f"In force: {decides}" in listed and "Sarah" in listed


def test_no_lead_moves_between_ratings_of_other_labels(client, max_, first):
    scale = first.scale
    scale.pk, scale.name = None, "Temperatures"
    scale.ratings = [["warm", "Call"], ["cold", "Wait"]]
    scale.fit_bands, scale.engagement_bands = [["any", 0]], [["high", 30], ["low", 0]]
    scale.cells = {"any/high": "warm", "any/low": "cold"}
    scale.save()
    ModelVersion.objects.filter(pk=first.pk).update(scale=scale)
    page = page_of(client, first)
    assert "rates by other labels, so no lead can be said to go up or down." in page
    assert "Every figure opens" not in page and figures(page)[1] == "0"


def test_without_any_version_in_force_it_says_that_nothing_is_compared(client, max_, draft):
    ScoringModel.objects.update(current_version=None)
    page = page_of(client, draft, ready_engagement=45)
    assert "No version is in force yet to compare it with" in page and "0.1 as saved." in page
    assert "In force" not in page and page.count("As saved") >= 4 and "#allclear" not in page
    assert figures(page) == ["1", "0", "0", "−1"]
    listed = client.get(f"/marketing/lab/{draft.pk}/leads/?show=moved&old=0&new=0").content.decode()
    assert "against itself as it is saved" in listed and "In force" not in listed


def test_one_rounding_in_words_and_table():
    version = ModelVersion(model=ScoringModel(pk=1, routes=True, current_version_id=1))
    weeks = {"new": 98 / 8, "old": 97.2 / 8}
    said = sales.finding(weeks, sales.Capacity(12.5, ""), None, version, version)["text"]
    assert said.startswith("12.3 sales-ready leads a week, 12.2 in force; sales can take 13.")


def test_a_draft_whose_rules_change_is_tried_anew(client, max_, draft):
    assert figures(page_of(client, draft))[1] == "1"
    draft.rules.filter(kind="activity").delete()
    assert figures(page_of(client, draft))[1] == "0"


def test_two_studies_are_kept_at_most(client, max_, draft):
    more = [draft, *(new_draft(model=draft.model, by=None) for _ in range(2))]
    for version in more:
        page_of(client, version)
    kept = cache.get("lab")
    assert len(kept) == 2 and all(cache.get(key) for key in kept)
    assert sum(isinstance(entry, lab.Study) for entry in map(study_of, more)) == 2


def test_a_draft_with_a_broken_rule_says_so(client, max_, draft):
    draft.rules.filter(kind="fit").update(condition={"is": "no_such_thing"})
    response = client.get(f"/marketing/lab/{draft.pk}/", follow=True)
    assert response.redirect_chain[0][0] == f"/scoring/starter/versions/{draft.number}/"
    assert "cannot be tried yet" in response.content.decode()


def outcome(n, now, *, won):
    """A hand-off of long ago that ended in a deal or not."""
    rep = Rep.objects.first()
    who = cast.lead(f"past{n}@firm{n}.net", first_name="Past", last_name=f"No{n}", created_at=now - 90 * DAY)
    row = cast.handed(who, at=now - 60 * DAY + n * HOUR)
    deal = opportunities.open(handoff=row, by=rep.user, at=now - 50 * DAY)
    if won:
        opportunities.win(opportunity=deal, by=rep.user, amount=1000, at=now - 40 * DAY)
    else:
        opportunities.lose(opportunity=deal, by=rep.user, reason="no_fit", at=now - 40 * DAY)


def test_past_hand_offs_are_rated_by_what_was_known_then(client, max_, draft, now):
    cast.rita()
    outcome(1, now, won=True), outcome(2, now, won=False)
    draft.scale.ratings = [[*row, 5] for row in draft.scale.ratings]  # with the minutes that a lead is worth
    draft.scale.save(update_fields=["ratings"])
    page = page_of(client, draft)
    assert "2 hand-offs decided, 1 won; sales judged 0." in page
    assert page.count("too few") >= 8 and "1 of 2" in page
    # Both had asked for sales and engagement 40 then; both lost it all since.
    assert "Of the past hand-offs it would have passed 2, and 1 won, as in force." in page


def rate(hits, many):
    return lab.Rate("", many, hits, None)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ((42, 374), (43, 346), "346, and 43 won; 374 and 42 in force. That is 28 hand-offs fewer and 1 deal more."),
        ((42, 374), (42, 375), "375, and 42 won; 374 and 42 in force. That is 1 hand-off more and as many deals."),
        ((42, 1374), (40, 1374), "1,374, and 40 won; 1,374 and 42 in force. That is as many hand-offs and 2 deals fewer."),
        ((42, 374), (42, 374), "374, and 42 won, as in force."),
    ],
)  # fmt: skip
def test_what_past_hand_offs_say_for_and_against(was, now, said):
    assert (
        sales.looking_back(rate(*was), rate(*now), "in force")
        == f"Of the past hand-offs it would have passed {said}"
    )
    assert (
        sales.looking_back(rate(*was), rate(0, 0), "in force")
        == "It would have passed none of the past hand-offs."
    )


def test_fewer_deals_are_no_all_clear():
    version = ModelVersion(model=ScoringModel(pk=1, routes=True, current_version_id=1))
    weeks = {"new": 12.0, "old": 13.0}
    for won, icon in ((9, "info"), (10, "allclear")):
        outcomes = {"decided": 90, "passed": [(rate(10, 80), rate(0, 10)), (rate(won, 70), rate(1, 20))]}
        assert sales.finding(weeks, sales.Capacity(14, ""), outcomes, version, version)["icon"] == icon


def test_outcomes_of_a_hand_off(now):
    cast.rita()
    outcome(1, now, won=True), outcome(2, now, won=False)
    open_one = cast.handed(cast.lead("open@firm.net"), at=now - DAY)
    past = sales.pasts()
    assert past.won.tolist() == [0, 1] and open_one.lead_id not in [pk for pk, _ in past.moments]
    assert [at for _, at in past.moments] == sorted((at for _, at in past.moments), reverse=True)


def test_what_sales_can_take(now):
    model = ScoringModel.objects.get(routes=True)
    assert sales.capacity(model, at=now).per_week is None
    rita = cast.rita(capacity=20)
    assert sales.capacity(model, at=now).per_week is None  # nobody knows how long a hand-off takes
    row = cast.handed(at=now - 20 * DAY)
    Handoff.objects.filter(pk=row.pk).update(status="closed", ended_at=now - 6 * DAY)
    takes = sales.capacity(model, at=now)
    assert takes.per_week == pytest.approx(10)  # 20 for 14 days each
    assert takes.words.startswith("1 rep may have 20 open hand-offs, and one stays open for 14 days")
    cast.ron()  # no limit
    assert sales.capacity(model, at=now).per_week is None
    model.ready_per_week = 12
    assert sales.capacity(model, at=now).per_week == 12
    assert rita.capacity == 20


def test_a_page_from_memory_takes_few_queries(client, max_, draft, django_assert_max_num_queries):
    page_of(client, draft)
    with django_assert_max_num_queries(14):
        page_of(client, draft, ready_engagement=45)
    with django_assert_max_num_queries(14):
        client.get(f"/marketing/lab/{draft.pk}/leads/?show=moved&old=0&new=0")


def test_a_model_without_leads_says_what_to_do(client, max_):
    page = page_of(client, ModelVersion.objects.get())
    assert "There are no leads to try it on yet." in page
