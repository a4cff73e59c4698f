"""The number on the page of a version is the number of leads that sales gets when its model takes over."""

from functools import partial

import pytest
from django.utils import timezone

from distribution import recycling
from distribution.models import Handoff
from distribution.taking_over import would_pass
from distribution.tests import cast
from distribution.tests.cast import DAY, NOW
from leads import consent
from leads.models import Company, Lead, Relationship
from scoring.models import ScoringModel
from scoring.publish import take_over
from scoring.rescore import rescore
from scoring.tests.cast import activity, current, touchpoint

pytestmark = pytest.mark.django_db
WEBINAR = {"kind": "hand_raise", "condition": touchpoint("webinar")}


def partners():
    """Calls whoever viewed the prices sales-ready, which the model that decides does not."""
    model = ScoringModel.objects.create(name="Partners", slug="partners")
    views = activity(10, "page_view", "/pricing")
    return current(views, WEBINAR, model=model, mql_fit=0, ready_fit=0, ready_engagement=10)


def views(who):
    cast.did(who, "page_view", "/pricing")
    cast.flow()


def given_back(who, *, back):
    """Asked, was handed to a rep, and came back."""
    row = cast.handed(who, NOW - 2 * DAY)
    back(handoff=row, by=row.owner.user, at=NOW - DAY)
    views(who)


def company_was(relationship, who):
    """Routed while its company was something else than it is now."""
    company = cast.acme(who.email.partition("@")[0], relationship=relationship)
    Lead.objects.filter(pk=who.pk).update(company=company)
    views(who)
    Company.objects.filter(pk=company.pk).update(
        relationship={Relationship.PROSPECT: Relationship.COMPETITOR}.get(relationship, Relationship.PROSPECT)
    )


def objects(who):
    views(who)
    consent.suppress(address=who.email, channel="all", purpose="all", reason="objected", at=NOW)


def of_a_customer(who):
    Lead.objects.filter(pk=who.pk).update(company=cast.acme("Buyer", relationship=Relationship.CUSTOMER))
    views(who)


def asks_again(who, **back):
    given_back(who, **back)
    cast.did(who, "webinar", "demo")
    cast.flow()


def of_ours(who):
    Lead.objects.filter(pk=who.pk).update(is_test=True)
    views(who)


def warm_before(who):
    """Sales-ready by the model that decides too, but it rests until later."""
    cast.warms_up(who)
    rescore(lead_ids=[who.pk], at=NOW)
    rests = {"stage": "mql", "place": "parked", "wake_at": NOW + DAY, "place_reason": "Later"}
    Lead.objects.filter(pk=who.pk).update(**rests, rescore_at=None, route_at=None)


timing = partial(recycling.recycle, reason="timing")
no_need = partial(recycling.disqualify, reason="no_need")
spam = partial(recycling.disqualify, reason="spam")
# What became of a lead, and whether it passes to sales when the other model takes over.
LIVES = {
    "viewed": (views, True),
    "not": (lambda who: cast.flow(), False),
    "recycled": (partial(given_back, back=timing), False),
    "recycled-asks": (partial(asks_again, back=timing), True),
    "by-person": (partial(given_back, back=no_need), False),
    "by-person-asks": (partial(asks_again, back=no_need), True),
    "spam": (partial(asks_again, back=spam), False),
    "was-competitor": (partial(company_was, Relationship.COMPETITOR), True),
    "competitor": (partial(company_was, Relationship.PROSPECT), False),
    "objects": (objects, False),
    "customer": (of_a_customer, True),
    "with-rep": (lambda who: cast.handed(who) and views(who), False),
    "test": (of_ours, False),
    "rests": (warm_before, False),
}


@pytest.mark.parametrize("life", LIVES)
def test_the_number_that_is_shown_is_the_number_that_passes(life):
    cast.rita()
    version = partners()
    lives, passes = LIVES[life]
    who = cast.lead(f"{life}@open.net")
    lives(who)
    before = Handoff.objects.filter(status__in=Handoff.OPEN, queue__is_review=False).count()
    assert would_pass(version, at=NOW) == passes
    take_over(version=version, by=None, at=NOW)
    cast.flow()
    assert Handoff.objects.filter(status__in=Handoff.OPEN, queue__is_review=False).count() - before == passes
    version.model.refresh_from_db()
    assert would_pass(version, at=NOW) is None


def test_it_is_asked_of_what_could_decide_only():
    cast.rita()
    version = partners()
    views(cast.lead())
    assert would_pass(version, at=timezone.now()) == 1
    ScoringModel.objects.filter(pk=version.model_id).update(applies_to={"is": "free_mail"})
    version.model.refresh_from_db()
    assert would_pass(version, at=NOW) is None
    ScoringModel.objects.filter(pk=version.model_id).update(applies_to={}, current_version=None)
    version.model.refresh_from_db()
    assert would_pass(version, at=NOW) is None
