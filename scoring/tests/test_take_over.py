"""Another model takes over what passes to sales: at once, and nobody ever reads of none or of two."""

import threading
from functools import partial

import pytest
from django.urls import reverse

from leads.models import Lead, StageChange
from scoring.models import ScoringModel
from scoring.publish import NotPublishable, take_over
from scoring.rescore import rescore
from scoring.tests import cast
from scoring.tests.cast import DECISION_MAKER, NOW
from scoring.tests.test_documents import person
from scoring.tests.test_races import at_once, until

FITS = {"role": "decision maker"}


def other(*rules, **fields):
    model = ScoringModel.objects.create(name="Partners", slug="partners", **fields)
    return cast.current(*rules, model=model)


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
    before = take_over(model=new.model, at=NOW)
    assert (before.slug, deciding()) == ("test", ["partners"])
    assert cast.stage_of(fits) == "mql"
    assert StageChange.objects.get(lead=fits).reason == "MQL under Partners version 1"
    assert list(Lead.objects.filter(route_at__isnull=False)) == [fits]
    assert take_over(model=new.model, at=NOW) is None


@pytest.mark.django_db
def test_nobody_is_taken_back():
    old = cast.current(DECISION_MAKER)
    new = other(cast.fit(5, field="role", op="known"))
    lead = cast.lead(**FITS)
    rescore(lead_ids=[lead.pk], at=NOW)
    take_over(model=new.model, at=NOW)
    assert cast.stage_of(lead) == "mql"
    assert take_over(model=old.model, at=NOW).slug == "partners"
    assert deciding() == ["test"]


@pytest.mark.django_db
def test_who_cannot_judge_everybody_does_not_take_over():
    cast.current(DECISION_MAKER)
    new = ScoringModel.objects.create(name="Partners", slug="partners")
    with pytest.raises(NotPublishable, match="Publish a version of Partners first"):
        take_over(model=new, at=NOW)
    version = cast.current(DECISION_MAKER, model=new)
    ScoringModel.objects.filter(pk=new.pk).update(applies_to={"is": "free_mail"})
    with pytest.raises(NotPublishable, match="judges some leads only"):
        take_over(model=version.model, at=NOW)
    assert deciding() == ["test"]


@pytest.mark.django_db
def test_its_page_lets_it_take_over_and_says_so(client):
    old, new = cast.current(DECISION_MAKER), other(DECISION_MAKER)
    client.force_login(person("mia", "Marketer", is_staff=True))
    page = reverse("admin:scoring_scoringmodel_change", args=[new.model_id])
    button = reverse("admin:scoring_scoringmodel_decide", args=[new.model_id])
    assert f'action="{button}"' in client.get(page).content.decode()
    assert client.get(button).status_code == 405
    said = client.post(button, follow=True).content.decode()
    assert "Partners decides what passes to sales from now on; Test informs." in said
    assert f'action="{button}"' not in said
    assert 'name="routes"' not in said
    ScoringModel.objects.filter(pk=old.model_id).update(applies_to={"is": "free_mail"})
    back = reverse("admin:scoring_scoringmodel_decide", args=[old.model_id])
    assert "judges some leads only" in client.post(back, follow=True).content.decode()
    client.force_login(person("ron", "Sales manager", is_staff=True))
    assert client.post(back).status_code == 403
    assert deciding() == ["partners"]


@pytest.mark.django_db(transaction=True)
def test_readers_always_see_exactly_one_that_decides():
    models = [cast.current(DECISION_MAKER).model, other(DECISION_MAKER).model]
    seen, stop = set(), threading.Event()

    def take(model):
        for _ in range(10):
            take_over(model=model, at=NOW)

    with at_once(until(stop, lambda: seen.add(len(deciding())))):
        with at_once(*(partial(take, model) for model in models)):
            pass
        stop.set()
    assert seen == {1}
    assert len(deciding()) == 1
