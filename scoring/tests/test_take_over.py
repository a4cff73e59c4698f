"""Another model takes over what passes to sales: at once, and nobody ever reads of none or of two."""

from functools import partial

import pytest
from django.urls import reverse

from leads.models import Lead, StageChange
from leads.tests.races import beside, wait_until
from scoring.models import ScoringModel
from scoring.publish import NotPublishable, take_over
from scoring.rescore import rescore
from scoring.tests import cast
from scoring.tests.cast import DECISION_MAKER, HAND_RAISE, NOW, PRICING
from scoring.tests.test_documents import person

FITS = {"role": "decision maker"}


def other(*rules, **thresholds):
    model = ScoringModel.objects.create(name="Partners", slug="partners")
    return cast.current(*rules, model=model, **thresholds)


def deciding():
    return list(ScoringModel.objects.filter(routes=True).values_list("slug", flat=True))


@pytest.mark.django_db
def test_it_works():
    cast.current(cast.fit(5, field="role", op="known"))
    new = other(DECISION_MAKER)
    fits, not_yet = cast.lead("a@northwind.example", **FITS), cast.lead("b@northwind.example")
    rescore(lead_ids=[fits.pk, not_yet.pk], at=NOW)
    Lead.objects.update(route_at=None)
    assert cast.stage_of(fits) == "inquiry"
    before = take_over(version=new, by=None, at=NOW)
    assert (before.slug, deciding()) == ("test", ["partners"])
    assert cast.stage_of(fits) == "mql"
    assert StageChange.objects.get(lead=fits).reason == "MQL under Partners version 1"
    assert list(Lead.objects.filter(route_at__isnull=False)) == [fits]
    assert new.comments.get().text == "Partners decides what passes to sales from now on, in place of Test."
    assert take_over(version=new, by=None, at=NOW) is None
    assert new.comments.count() == 1


@pytest.mark.django_db
def test_nobody_is_taken_back():
    old = cast.current(DECISION_MAKER)
    new = other(cast.fit(5, field="role", op="known"))
    lead = cast.lead(**FITS)
    rescore(lead_ids=[lead.pk], at=NOW)
    take_over(version=new, by=None, at=NOW)
    assert cast.stage_of(lead) == "mql"
    assert take_over(version=old, by=None, at=NOW).slug == "partners"
    assert deciding() == ["test"]


@pytest.mark.django_db
def test_who_cannot_judge_everybody_does_not_take_over():
    cast.current(DECISION_MAKER)
    read = other(DECISION_MAKER)
    later = cast.current(DECISION_MAKER, model=read.model)
    with pytest.raises(NotPublishable, match="Partners v1 is not in force"):
        take_over(version=read, by=None, at=NOW)
    ScoringModel.objects.filter(pk=read.model_id).update(applies_to={"is": "free_mail"})
    with pytest.raises(NotPublishable, match="judges some leads only"):
        take_over(version=later, by=None, at=NOW)
    assert deciding() == ["test"]


@pytest.mark.django_db
def test_the_stages_that_it_calls_for_follow_but_of_those_who_were_given_back():
    cast.current(cast.fit(5, field="role", op="known"))
    new = other(DECISION_MAKER, HAND_RAISE, PRICING, ready_engagement=5)
    asks, ready, back, fits, passed = (cast.lead(f"{name}@northwind.example", **FITS) for name in "abcde")
    cast.did(asks, "hand_raise")
    for lead in (ready, back, passed):
        cast.did(lead, "page_view", asset="/pricing")
    cast.did(
        back, "recycled", ago=cast.DAY, engagement=False, properties={"until": (NOW + cast.DAY).isoformat()}
    )
    Lead.objects.filter(pk=passed.pk).update(stage="sal")
    rescore(lead_ids=[lead.pk for lead in (asks, ready, back, fits, passed)], at=NOW)
    Lead.objects.filter(pk=asks.pk).update(stage="inquiry")
    take_over(version=new, by=None, at=NOW)
    stages = [cast.stage_of(lead) for lead in (asks, ready, back, fits, passed)]
    assert stages == ["sales_ready", "sales_ready", "inquiry", "mql", "sal"]


@pytest.mark.django_db
def test_sales_sees_how_many_pass_and_lets_it_decide(client):
    old, new = cast.current(cast.fit(5, field="role", op="known")), other(DECISION_MAKER, HAND_RAISE)
    asks = cast.lead(**FITS)
    cast.did(asks, "hand_raise")
    rescore(lead_ids=[asks.pk], at=NOW)
    Lead.objects.update(stage="inquiry")
    ScoringModel.objects.filter(pk=old.model_id).update(ready_per_week=12)
    page, button = (
        reverse("model-version", args=["partners", 1]), reverse("model-version-act", args=["partners", 1, "take-over"])
    )  # fmt: skip
    told = {}
    for name, role in (("mia", "Marketer"), ("rita", "Sales rep"), ("mona", "Sales manager")):
        client.force_login(person(name, role))
        text = " ".join(client.get(page).content.decode().split())
        told[name] = (
            "Test decides now. If Partners did, <strong>1 more lead</strong> would pass to sales at once."
            " Sales can take 12 a week." in text,
            f'action="{button}"' in text,
        )
    assert told == {"mia": (True, False), "rita": (False, False), "mona": (True, True)}
    said = client.post(button, follow=True).content.decode()
    assert "Partners decides what passes to sales from now on. Test informs;" in said
    assert "This model decides what passes to sales." in said
    assert f'action="{button}"' not in said
    assert new.comments.get().by.username == "mona"
    assert cast.stage_of(asks) == "sales_ready"
    back = reverse("model-version-act", args=["test", 1, "take-over"])
    assert f'action="{back}"' in client.get(reverse("model-version", args=["test", 1])).content.decode()


@pytest.mark.django_db
def test_settings_say_who_lets_it_decide_and_where(client):
    cast.current(DECISION_MAKER)
    new = other(DECISION_MAKER)
    client.force_login(person("mia", "Marketer", is_staff=True))
    page = client.get(reverse("admin:scoring_scoringmodel_change", args=[new.model_id])).content.decode()
    assert "Whoever signs for sales can let it decide" in page
    assert f'href="{reverse("model-version", args=["partners", 1])}#take-over-title"' in page
    assert 'name="routes"' not in page
    ScoringModel.objects.filter(slug="partners").update(applies_to={"is": "free_mail"})
    page = client.get(reverse("admin:scoring_scoringmodel_change", args=[new.model_id])).content.decode()
    assert "can let it decide" not in page


@pytest.mark.django_db(transaction=True)
def test_readers_always_see_exactly_one_that_decides():
    versions = [cast.current(DECISION_MAKER), other(DECISION_MAKER)]
    seen = []

    def take(version):
        for _ in range(10):
            take_over(version=version, by=None, at=NOW)
            looked = len(seen)
            wait_until(lambda looked=looked: len(seen) > looked)

    with beside(
        *(partial(take, version) for version in versions), again=[lambda: seen.append(len(deciding()))]
    ):
        pass
    assert set(seen) == {1}
    assert len(deciding()) == 1
