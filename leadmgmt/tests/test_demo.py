"""The demo company: the same every time, whole or not there at all, and gone without a trace."""

from collections import Counter

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from distribution import limbo
from distribution.models import Handoff, Opportunity
from leadmgmt.demo import config, play, population, removal, sandbox, stories
from leads import capture
from leads.models import Activity, Company, Lead, StageChange
from nurturing.models import LocalMail, Program
from scoring.models import Score

LAST_DAYS = 14


@pytest.fixture
def passwords(db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # for speed
    return config.load()


def shown(schema="public"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {schema}.leads_lead")
        return cursor.fetchone()[0]


@pytest.fixture
def history(passwords):
    """The last weeks of the demo with its stories; what was visible outside while it was played."""
    seen = []
    first = population.DAYS - LAST_DAYS
    people = [person for person in population.population(1400) if person.day >= first]
    now = timezone.now()
    with sandbox.sandbox():
        floor = play.play(anchor=now, say=lambda *_: seen.append(shown()), people=people, first_day=first)
        stories.tell(floor=floor, now=now)
    return seen


def test_the_population_is_the_same_every_time_and_reaches_nobody():
    people = population.population(300)
    assert people == population.population(300)
    assert all(p.values.get("email", "x.example").endswith(".example") for p in people)
    assert any("email" not in p.values for p in people), "badge scans without an address"
    assert any(not p.values["last_name"].isascii() for p in people)
    assert 0.3 < sum(p.day >= population.DAYS - population.DENSE_DAYS for p in people) / 300 < 0.55


def test_configuration_is_loaded_once_and_leaves_edits_alone(passwords):
    assert set(passwords) == {"mia", "rita", "mona", "admin"}
    assert User.objects.get(username="rita").check_password(passwords["rita"])
    Program.objects.filter(slug="webinar-track").update(name="Renamed")
    assert config.load() == {}
    assert Program.objects.get(slug="webinar-track").name == "Renamed"
    assert len(set(passwords.values())) == 4


def test_history_from_play_to_removal(history):
    it_appears_whole_and_consistent(history)
    the_stories_are_there()
    removal_takes_the_demo_and_nothing_else()


def it_appears_whole_and_consistent(history):
    assert set(history) == {0}, "nobody saw a half"
    leads = Lead.objects.all()
    assert leads.count() > 100
    assert not leads.filter(is_demo=False).exists()
    assert not leads.exclude(Q(email__endswith=".example") | Q(email=None)).exists()
    now = timezone.now()
    assert not leads.filter(Q(rescore_at__lte=now) | Q(route_at__lte=now)).exists(), "all decided"
    assert Score.objects.filter(model_version__status="published").count() == leads.count()
    places = Counter(leads.values_list("place", flat=True))
    assert places["nurture"] > places["disqualified"] > 0 and places["sales"] > 3
    assert list(limbo.orphans(at=now)) == []
    assert LocalMail.objects.exists()


def the_stories_are_there():
    def lead(email):
        return Lead.objects.get(email=email)

    now = timezone.now()
    sarah = lead("sarah.klein@brightworks.example")
    assert (sarah.place, sarah.stage) == ("nurture", "mql")
    quote = Handoff.objects.get(lead=lead("jonas.ek@nordwind.example"))
    assert (quote.owner.user.username, quote.is_hand_raise, quote.first_response_at) == ("rita", True, None)
    assert 200 < (now - quote.created_at).total_seconds() < 600
    waiting = Handoff.objects.get(lead=lead("helena.strand@fjordline.example"))
    assert (
        waiting.rating == "A" and waiting.first_response_at is None and (now - waiting.created_at).days == 3
    )
    account = Handoff.objects.get(lead=lead("frida.lund@harbor-logistics.example"))
    assert account.owner.user.username == "sam"
    assert Lead.objects.filter(company__domain="harbor-logistics.example").count() == 4
    paula = lead("paula.reis@cobalt-energy.example")
    assert (paula.place, paula.cycle_no) == ("customer", 2)
    assert Opportunity.objects.get(lead=paula).status == "won"
    cooled = lead("marek.novotny@quarry-tools.example")
    assert Score.objects.get(lead=cooled, model_version__status="published").rating in ("C", "D")
    assert Handoff.objects.get(lead=lead("kim@planrival.example")).queue.is_review


def removal_takes_the_demo_and_nothing_else():
    company = Company.objects.filter(is_demo=True, domain__isnull=False, leads__isnull=False).first()
    real = capture.submit(
        values={"email": f"real@{company.domain}", "last_name": "Real"}, at=timezone.now()
    ).lead
    expected = Lead.objects.filter(is_demo=True).count()
    assert removal.remove() == expected
    assert list(Lead.objects.values_list("pk", flat=True)) == [real.pk]
    assert list(Company.objects.values_list("pk", "is_demo")) == [(company.pk, False)]
    assert Activity.objects.count() == 1
    assert not (StageChange.objects.exists() or Handoff.objects.exists() or LocalMail.objects.exists())
    assert Program.objects.filter(slug="webinar-track").exists(), "the configuration stays"


def test_a_failed_play_leaves_nothing(passwords):
    with pytest.raises(ZeroDivisionError), sandbox.sandbox():
        capture.submit(values={"email": "x@y.example"}, at=timezone.now())
        assert shown("demo_play") == 1
        raise ZeroDivisionError
    assert Lead.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'demo_play'")
        assert cursor.fetchone() == (0,)


def test_it_is_for_the_local_database_only(db):
    assert project.DEMO is False
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("demo")
