"""Why a score is what it is, as pages: by model, at any past instant, with its history, as text."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.http import urlencode

from distribution import handoff
from distribution.templatetags.pages import rating_chip
from distribution.tests import cast
from distribution.tests.cast import DAY, HOUR, MINUTE
from distribution.tests.pages import read
from distribution.waterfall import grouped
from leads import identity
from leads.models import Asset, Relationship
from scoring import publish
from scoring.lines import Line
from scoring.models import Publication, RuleGroup, ScoringModel
from scoring.rescore import rescore

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(client, now):
    """Sarah looked at prices nine days ago, downloaded something a day ago and asked for sales an hour ago."""
    rita = cast.rita()
    client.force_login(rita.user)
    Publication.objects.update(at=now - 60 * DAY)
    who = cast.lead(company=cast.acme(created_at=now - 30 * DAY), created_at=now - 20 * DAY)
    rescore(lead_ids=[who.pk], at=now - 19 * DAY)
    for kind, asset, at in (("page_view", "/pricing", 9 * DAY), ("download", "/white-papers/roi", DAY)):
        cast.did(who, kind, asset, now - at)
        cast.flow(now - at)
    return cast.handed(who, at=now - HOUR)


def test_a_cut_by_a_rules_own_cap_stays_beside_it_and_that_of_the_whole_is_last():
    def lines(*told):
        return [
            Line("engagement", rule, kind, 1, group=group)
            for rule, kind, group in (one.split("/") for one in told)
        ]

    looks, own = ["Looks/activity/Web", "Asks/activity/"], "Asks: at most 5 points/cap/"
    assert [line.rule[:6] for line in grouped(lines(*looks, own))] == ["Asks", "Asks: ", "Looks"]
    whole = "Engagement is at most 9/cap/"
    assert grouped(lines(*looks, own, whole))[-1].rule == whole[: whole.index("/")]


@pytest.mark.parametrize(
    ("labels", "looks"),
    [
        ("A B C D", "1 2 3 4"),
        ("1 2 3 4 5", "1 2 3 3 4"),
        ("hot medium cold", "1 2 4"),
        ("A+ A B", "1 2 4"),
        ("sales marketing", "1 4"),
        ("all", "1"),
    ],
)
def test_a_badge_looks_as_good_as_the_rating_is_on_its_own_scale(labels, looks):
    labels = labels.split()
    chips = [rating_chip(label, labels) for label in labels]
    assert [re.search(r"rank-(\d) ", chip)[1] for chip in chips] == looks.split()
    shipped = labels == ["A", "B", "C", "D"]
    assert [re.search(r'class="word">(\w*)<', chip)[1] != "" for chip in chips] == [shipped] * len(labels)


def test_every_badge_knows_its_scale(client, row, now):
    """Here B is the best there is."""
    model = ScoringModel.objects.get(routes=True)
    scale = publish.new_draft(model=model, by=None).scale
    scale.ratings, scale.cells = [["B", "Call"], ["A", "Wait"]], dict.fromkeys(scale.cells, "B")
    scale.save()
    publish.publish(version=model.versions.first(), by=None, at=now, approved=True)
    for address in ("/sales/", f"/leads/{row.lead_id}/", f"/leads/{row.lead_id}/score/"):
        assert 'class="rating rank-1 ' in read(client, address)


def numbers(page, pattern):
    return [float(found.replace("−", "-")) for found in re.findall(pattern, page)]


def test_each_line_says_rule_evidence_raw_age_and_points_and_they_add_up(
    client, row, django_assert_max_num_queries
):
    with django_assert_max_num_queries(26):
        page = read(client, f"/leads/{row.lead_id}/score/")
    lines = numbers(page, r'data-label="Points now">([+−]?[\d.]+)<')
    parts = numbers(page, r'scope="rowgroup" colspan="4">\w+</th><td class="num"><strong>(-?[\d.]+)<')
    assert len(parts) == 2 and round(sum(lines), 2) == round(sum(parts), 2)
    _, fit, engagement = re.search(
        r"why (\w)\?</h1>.*?Fit ([\d.]+) \([^)]+\) and engagement ([\d.]+) \([^)]+\) make \1\.", page
    ).groups()
    assert [float(fit), float(engagement)] == parts and "Together" not in page and "Total" not in page
    assert re.search(
        r'Looked at prices .*? data-label="Raw points">\+10<.*? data-label="Left by age">50 %<', page
    )
    for words in (
        "Raw points",
        "Left by age",
        "Cap",
        "Points now",
        "decides what passes to sales",
        "How it moved",
    ):
        assert words in page, words
    assert "style=" not in page and "<script>" not in page


def test_rules_of_a_group_stand_together_with_their_points(client, row, now):
    version = publish.new_draft(model=ScoringModel.objects.get(slug="starter"), by=None)
    group = RuleGroup.objects.create(version=version, name="Web", cap_points=12)
    version.rules.filter(name__in=("Looked at prices", "Downloaded something")).update(group=group)
    publish.publish(version=version, by=None, at=now, approved=True)
    page = read(client, f"/leads/{row.lead_id}/score/")
    assert 'scope="rowgroup" colspan="4">Web</th><td class="num">+12</td>' in page
    order = [
        page.index(words) for words in (">Web<", "Looked at prices", "Downloaded", "Web: at most 12 points")
    ]
    assert order == sorted(order)


def test_evidence_leads_to_its_entry_in_the_timeline(client, row):
    page = read(client, f"/leads/{row.lead_id}/score/")
    link = re.search(r'href="([^"]+)">Viewed /pricing<', page)[1]
    shown = read(client, link)
    sought = re.search(r'<li class="moment is-person is-sought" aria-current="true">(.*?)</li>', shown)[1]
    assert "Viewed /pricing" in sought and "Asked for sales" not in shown, (
        "what came later is above, not here"
    )
    other = cast.lead("tom@tom.net")
    cast.did(other, "page_view", "/pricing")
    wrong = [
        f"/leads/{row.lead_id}/timeline/?at={at}" for at in (other.activities.get().pk, "x", "9" * 30, "")
    ]
    assert [client.get(path).status_code for path in wrong] == [404] * 4


def test_evidence_says_the_title_and_the_path_beside_it(client, row):
    Asset.objects.create(path="/white-papers/roi", title="ROI <guide>")
    for page in (read(client, f"/leads/{row.lead_id}/{rest}") for rest in ("score/", "")):
        assert 'Downloaded “ROI &lt;guide&gt;”</a> <span class="path">/white-papers/roi</span>' in page
    assert "Downloaded “ROI &lt;guide&gt;” <span" in page and ">Viewed /pricing</a>," in page


def test_publishing_is_a_row_of_the_history(client, row, now):
    model = ScoringModel.objects.get(slug="starter")
    Publication.objects.create(model=model, version=model.current_version, at=now - 3 * DAY)
    page = read(client, f"/leads/{row.lead_id}/score/")
    number = model.current_version.number
    assert re.search(
        rf'Model version published</td> <td><a href="/scoring/starter/versions/{number}/">', page
    )
    assert page.count('class="mark"') == 1 and 'class="step engagement"' in page


def test_a_past_instant_is_replayed_and_all_on_the_page_is_as_of_then(client, row, now):
    at = timezone.localtime(now - 5 * DAY)
    asked = f"?as_of={at:%Y-%m-%dT%H:%M}"
    page = read(client, f"/leads/{row.lead_id}/score/{asked}")
    assert f"As it stood on {at:%-d %B %Y}" in page and "Show it as it is now" in page
    assert f"on {at:%-d %B %Y}?</h1>" in page
    assert "Looked at prices" in page and "Downloaded something" not in page
    assert "Why it was not passed to sales then" in page and "Seen from then</h3>" in page
    assert "4 days before, " in page or "3 days before, " in page
    main = page[page.index("<main") : page.index("</main>")]
    assert " ago<" not in main and 'data-wording="relative"' not in main, "no age is counted from today"
    assert f'value="{at:%Y-%m-%dT%H:%M}"' in page
    assert "As it stood on" not in read(client, f"/leads/{row.lead_id}/score/")
    moved = client.get(f"/leads/{row.lead_id}/{asked}")
    assert moved.status_code == 302 and moved.url.startswith(f"/leads/{row.lead_id}/score/?as_of="), (
        "the lead page is of now"
    )


def test_what_they_wanted_is_as_of_then(client, row, now):
    for days, stage in ((4, "decision"), (2, "awareness")):
        identity.set_fields(lead=row.lead, values={"buying_stage": stage}, origin="rep", at=now - days * DAY)
    then = {
        days: read(
            client, f"/leads/{row.lead_id}/score/?as_of={(now - days * DAY).isoformat().replace('+', '%2B')}"
        )
        for days in (5, 3)
    }
    assert "What they wanted then" not in then[5]
    assert "<dt>Buying stage</dt> <dd>Decision" in then[3] and "Awareness" not in then[3]
    assert "<dt>Buying stage</dt> <dd>Awareness" in read(client, f"/leads/{row.lead_id}/")


def test_the_instant_is_in_the_readers_zone(client, row, now):
    client.cookies["zone"] = "Asia/Tokyo"
    tokyo = now + timedelta(hours=9)
    early = read(client, f"/leads/{row.lead_id}/score/?as_of={tokyo - 2 * HOUR:%Y-%m-%dT%H:%M}")
    assert "As it stood on" in early and "Asked for sales" not in early
    assert f"{tokyo - 2 * HOUR:%H:%M}" in early and "JST" in early


@pytest.mark.parametrize(
    "text", ["nonsense", "2026-02-31", "2999-01-01T00:00", "9999-12-31T23:59:59-23:59", "\x00", "1e9"]
)
def test_an_instant_that_is_none_is_refused_in_words_and_the_present_shown(client, row, text):
    page = read(client, f"/leads/{row.lead_id}/score/?{urlencode({'as_of': text})}")
    assert "Shown is the score as it is now." in page and "As it stood on" not in page


def test_before_the_lead_was_known_there_is_nothing_to_explain(client, row):
    page = read(client, f"/leads/{row.lead_id}/score/?as_of=2001-01-01")
    assert "The lead was not known yet." in page and "Points now" not in page


def test_each_model_has_its_tab_and_the_one_that_routes_is_named(client, row, now):
    starter = ScoringModel.objects.get(slug="starter")
    second = ScoringModel.objects.create(name="Second market", slug="second", current_version=None)
    version = starter.current_version
    version.pk, version.model, version.number = None, second, 1
    version.save()
    ScoringModel.objects.filter(pk=second.pk).update(current_version=version)
    Publication.objects.create(model=second, version=version, at=now - 30 * DAY)
    rescore(lead_ids=[row.lead_id], at=now)
    for path in (f"/leads/{row.lead_id}/", f"/leads/{row.lead_id}/score/"):
        page = read(client, path)
        assert re.search(
            r'aria-current="page">Starter model <span class="count">\w</span> <span class="chip accent">decides',
            page,
        )
        assert "?model=second" in page
        other = read(client, f"{path}?model=second")
        assert re.search(r'aria-current="page">Second market', other) and "Second market v1" in other
        assert client.get(f"{path}?model=nonsense").status_code == 404
    assert 'name="model" value="second"' in other, "the instant is asked of the same model"


def test_as_text_works_without_scripts(client, row):
    page = read(client, f"/leads/{row.lead_id}/score/")
    link = re.search(r'href="([^"]*format=txt)"', page)[1]
    response = client.get(link)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    text = response.content.decode()
    assert text.startswith("Sarah Miller\nRating ") and "Looked at prices" in text
    assert client.get(f"/leads/{row.lead_id}/score/?format=txt&as_of=2001-01-01").status_code == 200


def test_why_not_passed_is_said_only_where_it_is_true(client, row, now):
    assert "not passed to sales" not in read(client, f"/leads/{row.lead_id}/")
    other = cast.lead("tom@tom.net", company=cast.acme("Tom"))
    cast.flow(now)
    client.force_login(cast.max_())
    assert "Why not passed to sales yet" in read(client, f"/leads/{other.pk}/")
    type(other).objects.filter(pk=other.pk).update(place="customer", stage="customer")
    assert "not passed to sales" not in read(client, f"/leads/{other.pk}/")


def test_others_and_the_withheld_stay_closed(client, row, now):
    client.force_login(cast.rep("Tom", queues=[]).user)
    assert client.get(f"/leads/{row.lead_id}/score/").status_code == 404
    secret = cast.handed(
        cast.lead("spy@spy.net", company=cast.acme("Spy", relationship=Relationship.COMPETITOR)), now
    )
    client.force_login(cast.max_())
    assert client.get(f"/leads/{secret.lead_id}/score/").status_code == 403
    client.logout()
    assert client.get(f"/leads/{row.lead_id}/score/").url.startswith("/sign-in/")


def test_accepting_shows_the_status(client, row, now):
    handoff.accept(handoff=row, by=row.owner.user, at=now - MINUTE)
    page = read(client, f"/leads/{row.lead_id}/")
    assert "Accepted, not contacted yet" in page and "Rita Us accepted" in page
