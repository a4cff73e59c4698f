"""What assets are about, with dates; and from that, how far a lead is with buying and what it wants."""

from datetime import timedelta

import pytest

from leads import activities, capture, content, identity, telling
from leads.models import Activity, Asset, AssetState, Lead, Product, RescoreRequest
from leads.tests import cast
from leads.tests.cast import ADA, BOB, CARLA, NOW
from leads.tests.races import at_once, together

DAY = timedelta(days=1)


@pytest.fixture
def pricing():
    return Asset.objects.create(path="/pricing", title="Pricing", covers_below=True)


@pytest.fixture
def guide():
    return Asset.objects.create(path="/guides/roi", title="ROI guide")


def read(lead, asset, *, days=0, kind="page_view", **more):
    return activities.record(lead=lead, kind=kind, asset=asset, at=NOW - days * DAY, received_at=NOW, **more)


def settle():
    Lead.objects.update(rescore_at=None)


def buying(lead, at=NOW):
    return content.buying_stage_of(lead_ids=[lead.pk], at=at)[lead.pk]


def likely(lead, at=NOW):
    return content.likely_product_of(lead_ids=[lead.pk], at=at)[lead.pk]


# --- classify ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_classifying_keeps_the_history_and_tells_those_who_read_it(pricing):
    ada, bob, carla = cast.ada(), cast.bob(), cast.carla()
    read(ada, "/Pricing/enterprise?x=1")
    read(bob, "/pricing", engagement=False)
    read(carla, "/elsewhere")
    settle()
    first = content.classify(asset=pricing, buying_stage="decision", products=["mixer"], at=NOW)
    assert list(Lead.objects.filter(rescore_at=NOW)) == [ada]
    settle()
    assert (
        content.classify(asset=pricing, buying_stage="decision", products=["mixer", "mixer"], at=NOW + DAY)
        is None
    )
    assert not Lead.objects.exclude(rescore_at=None).exists()
    content.classify(asset=pricing, buying_stage="consideration", tags=["b", "a"], at=NOW + DAY)
    states = AssetState.objects.order_by("id").values_list(
        "buying_stage", "products", "tags", "since", "until"
    )
    assert list(states) == [
        ("decision", ["mixer"], [], NOW, NOW + DAY), ("consideration", [], ["a", "b"], NOW + DAY, None),
    ]  # fmt: skip
    assert first.pk and not RescoreRequest.objects.exists()


@pytest.mark.django_db
def test_time_does_not_run_backwards(pricing):
    content.classify(asset=pricing, buying_stage="decision", at=NOW)
    with pytest.raises(ValueError, match="order of time"):
        content.classify(asset=pricing, buying_stage="awareness", at=NOW - DAY)


@pytest.mark.django_db
def test_nothing_said_about_a_new_asset_is_no_state(pricing):
    assert content.classify(asset=pricing, at=NOW) is None
    content.classify(asset=pricing, tags=["x"], at=NOW)
    content.close(asset=pricing, at=NOW + DAY)
    assert AssetState.objects.get().until == NOW + DAY


@pytest.mark.django_db
def test_what_is_left_over_is_worked_off_by_the_next_tick(pricing, monkeypatch):
    monkeypatch.setattr(telling, "BATCH", 2)
    monkeypatch.setattr(telling, "AT_ONCE", 2)
    leads = [capture.submit(values={"email": f"p{n}@c.example"}, at=NOW).lead for n in range(7)]
    for lead in leads:
        read(lead, "/pricing")
    settle()
    content.classify(asset=pricing, buying_stage="decision", at=NOW)
    assert Lead.objects.filter(rescore_at=NOW).count() == 2
    assert RescoreRequest.objects.get().told_to == leads[1].pk
    assert telling.go_on_with_all() == 1
    assert Lead.objects.filter(rescore_at=NOW).count() == 7
    assert not RescoreRequest.objects.exists()
    assert telling.go_on_with_all() == 0


@pytest.mark.django_db(transaction=True)
def test_nobody_who_arrives_while_content_is_classified_is_forgotten(pricing):
    """Each of them either was found by the classification or came after it: due in both cases."""

    def arrive(name):
        for n in range(15):
            values = {"email": f"{name}{n}@acme.example"}
            capture.submit(values=values, at=NOW, kind="page_view", asset="/pricing")
            Lead.objects.filter(email=values["email"]).update(rescore_at=None)  # a scorer was quick
            activities.record(
                lead=Lead.objects.get(email=values["email"]), kind="page_view", asset="/pricing", at=NOW
            )

    def describe():
        for n in range(10):
            content.classify(asset=pricing, buying_stage="decision", tags=[str(n)], at=NOW + n * DAY)

    together(lambda: arrive("a"), lambda: arrive("b"), describe)
    telling.go_on_with_all()
    assert Lead.objects.filter(rescore_at=None).count() == 0
    assert Lead.objects.count() == 30
    assert AssetState.objects.filter(until=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_classify_at_once_leave_one_current_state(pricing):
    at_once(4, lambda n: content.classify(asset=pricing, tags=[str(n)], at=NOW))
    assert AssetState.objects.filter(until=None).count() == 1
    assert AssetState.objects.count() == 4


# --- buying stage --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_most_advanced_content_that_is_fresh_decides(pricing, guide):
    content.classify(asset=pricing, buying_stage="decision", at=NOW - 200 * DAY)
    content.classify(asset=guide, buying_stage="consideration", at=NOW - 200 * DAY)
    ada = cast.ada(at=NOW - 100 * DAY)
    read(ada, "/pricing/a", days=29)
    read(ada, "/guides/roi", days=10, kind="download")
    found = buying(ada)
    assert (found.stage, found.label, found.is_set) == ("decision", "Decision", False)
    assert [(e.kind, e.title, e.at) for e in found.evidence] == [("page_view", "Pricing", NOW - 29 * DAY)]
    assert buying(ada, NOW + DAY).stage == "consideration"  # 30 days are over
    assert buying(ada, NOW + 51 * DAY).stage == ""


@pytest.mark.django_db
def test_scanners_and_what_is_not_described_say_nothing(pricing):
    content.classify(asset=pricing, buying_stage="decision", at=NOW)
    ada = cast.ada()
    read(ada, "/pricing", engagement=False)
    read(ada, "/elsewhere")
    assert buying(ada) == content.Buying()


@pytest.mark.django_db
def test_a_page_is_about_what_every_asset_says_that_covers_it(pricing, products):
    special = Asset.objects.create(path="/pricing/history", title="A history of prices")
    content.classify(asset=pricing, buying_stage="consideration", products=["oven"], at=NOW)
    content.classify(asset=special, buying_stage="awareness", products=["oven", "mixer"], at=NOW)
    ada = cast.ada()
    read(ada, "/pricing/history")
    assert buying(ada).stage == "consideration"
    assert (likely(ada).slug, likely(ada).weight) == ("oven", 1.0)
    assert likely(ada).evidence[0].title == "A history of prices"  # the closest


@pytest.mark.django_db
def test_a_timeline_within_ninety_days_is_deciding():
    until = NOW + 80 * DAY
    ada = capture.submit(values=ADA | {"timeline": "soon", "timeline_until": until}, at=NOW).lead
    found = buying(ada)
    assert (found.stage, [(e.kind, e.title) for e in found.evidence]) == ("decision", [("timeline", "soon")])
    assert buying(ada, until).stage == ""  # passed
    assert buying(ada, until - 91 * DAY).stage == ""


@pytest.mark.django_db
def test_a_person_overrides_until_the_field_is_emptied(pricing):
    content.classify(asset=pricing, buying_stage="decision", at=NOW)
    ada = cast.ada()
    read(ada, "/pricing")
    identity.set_fields(lead=ada, values={"buying_stage": "awareness"}, origin="rep", at=NOW)
    assert (buying(ada).stage, buying(ada).is_set) == ("awareness", True)
    identity.set_fields(lead=ada, values={"buying_stage": ""}, origin="rep", at=NOW)
    assert (buying(ada).stage, buying(ada).is_set) == ("decision", False)


@pytest.mark.django_db
def test_at_a_past_instant_counts_what_had_been_said_by_then(products, pricing):
    content.classify(asset=pricing, buying_stage="consideration", at=NOW - 20 * DAY)
    ada = cast.ada()
    read(ada, "/pricing", days=10)
    for days, stage, product in ((8, "decision", "mixer"), (4, "", "oven")):
        said = {"buying_stage": stage, "product_interest": product}
        identity.set_fields(lead=ada, values=said, origin="rep", at=NOW - days * DAY)
    stood = {days: buying(ada, NOW - days * DAY) for days in (9, 6, 2)}
    assert [(stood[days].stage, stood[days].is_set) for days in (9, 6, 2)] == [
        ("consideration", False),
        ("decision", True),
        ("consideration", False),
    ]
    assert [likely(ada, NOW - days * DAY).slug for days in (9, 6, 2)] == ["", "mixer", "oven"]


@pytest.mark.django_db
def test_the_state_counts_that_held_at_the_instant(pricing):
    content.classify(asset=pricing, buying_stage="awareness", at=NOW - 20 * DAY)
    content.classify(asset=pricing, buying_stage="decision", at=NOW - 5 * DAY)
    ada = cast.ada(at=NOW - 30 * DAY)
    read(ada, "/pricing", days=10)
    assert [buying(ada, NOW - days * DAY).stage for days in (25, 6, 5)] == ["", "awareness", "decision"]


# --- likely product ------------------------------------------------------------------------------------


@pytest.fixture
def products():
    return [Product.objects.create(name=name, slug=name.lower()) for name in ("Mixer", "Oven", "Gone")]


@pytest.mark.django_db
def test_the_product_with_the_freshest_touches_is_likely(products, pricing, guide):
    content.classify(asset=pricing, products=["mixer"], at=NOW - 100 * DAY)
    content.classify(asset=guide, products=["oven", "unknown"], at=NOW - 100 * DAY)
    ada = cast.ada(at=NOW - 90 * DAY)
    for days in (60, 60, 60):
        read(ada, "/guides/roi", days=days)
    read(ada, "/pricing", days=0)
    found = likely(ada)
    assert (found.slug, found.label, round(found.weight, 3)) == ("mixer", "Mixer", 1)
    assert round(likely(ada, NOW - 2 * DAY).weight, 3) == round(3 * 2 ** (-58 / 30), 3)
    assert likely(ada, NOW - 2 * DAY).slug == "oven"
    assert [(e.kind, e.title, e.times) for e in likely(ada, NOW - DAY).evidence] == [
        ("page_view", "ROI guide", 3)
    ]


@pytest.mark.django_db
def test_forms_campaigns_and_content_count_a_touch_once(products, guide):
    content.classify(asset=guide, products=["mixer"], at=NOW)
    form = cast.white_paper(products=["mixer"])
    form.asset = "/guides/roi"
    form.save()
    push = cast.campaign("push", products=["mixer", "oven"])
    ada = capture.submit(values=dict(ADA), at=NOW, form=form, campaign=push).lead
    assert (likely(ada).slug, likely(ada).weight) == ("oven", 1.0)  # as much as the other
    read(ada, "/guides/roi")
    assert (likely(ada).slug, likely(ada).weight) == ("mixer", 2.0)


@pytest.mark.django_db
@pytest.mark.parametrize("words", ["OVEN", "Oven"])
def test_what_was_stated_weighs_three_touches_and_fades(products, pricing, words):
    content.classify(asset=pricing, products=["mixer"], at=NOW)
    ada = capture.submit(values=ADA | {"product_interest": words}, at=NOW).lead
    read(ada, "/pricing")
    read(ada, "/pricing")
    assert (likely(ada).slug, likely(ada).weight) == ("oven", 3.0)
    assert likely(ada).evidence[0].kind == "product_interest"
    assert round(likely(ada, NOW + 60 * DAY).weight, 2) == 0.75
    assert likely(ada, NOW + 120 * DAY) == content.Likely()  # too long ago to say


@pytest.mark.django_db
def test_products_that_are_not_sold_any_more_are_not_likely(products, pricing):
    Product.objects.filter(slug="gone").update(is_active=False)
    content.classify(asset=pricing, products=["gone"], at=NOW)
    ada = capture.submit(values=ADA | {"product_interest": "Gone"}, at=NOW).lead
    read(ada, "/pricing")
    assert likely(ada) == content.Likely()


@pytest.mark.django_db
def test_two_statements_for_any_number_of_leads(products, pricing, django_assert_num_queries):
    content.classify(asset=pricing, buying_stage="decision", products=["mixer"], at=NOW)
    ids = [cast.person(values).pk for values in (ADA, BOB, CARLA)]
    for number in ids:
        activities.record(lead=Lead(pk=number), kind="page_view", asset="/pricing", at=NOW)
    with django_assert_num_queries(2):
        stages = content.buying_stage_of(lead_ids=ids, at=NOW)
    with django_assert_num_queries(2):
        wanted = content.likely_product_of(lead_ids=ids, at=NOW)
    assert {s.stage for s in stages.values()} == {"decision"}
    assert {w.slug for w in wanted.values()} == {"mixer"}
    assert Activity.objects.count() == 6
