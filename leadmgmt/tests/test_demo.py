"""The demo company: the same every time, whole or not there at all, and gone without a trace."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from distribution import limbo, triage
from distribution.models import FollowUp, Handoff, Opportunity
from leadmgmt.demo import config, judging, offer, play, population, removal, sandbox, stories
from leads import capture
from leads.models import Activity, Asset, Company, DomainEntry, Lead, LeadList, ListMember, StageChange
from nurturing.models import LocalMail, Program
from scoring import approval, publish
from scoring.criteria import check_segment
from scoring.models import (
    ModelVersion,
    Publication,
    Rule,
    Score,
    ScoreChange,
    ScoringModel,
    Segment,
)
from scoring.tests import replayed

LAST_DAYS = 14
# Stories began long before these days, and are told by the rules of today.
TOLD = Q(lead__email__in=stories.LISTED) | Q(lead__company__domain=stories.CUSTOMER)


@pytest.fixture
def passwords(db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # for speed
    return config.load()


def shown(schema="public"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {schema}.leads_lead")
        return cursor.fetchone()[0]


def play_the_end(now, say):
    first = population.DAYS - LAST_DAYS
    people = [person for person in population.population(1400) if person.day >= first]
    play.history(anchor=now, say=say, people=people, first_day=first)


@pytest.fixture
def history(passwords, monkeypatch):
    """The last weeks of the demo with its stories; what was visible outside while it was played."""
    seen = []
    monkeypatch.setitem(judging.IN_FORCE, ("starter", 2), LAST_DAYS / 2)
    play_the_end(timezone.now(), lambda *_: seen.append(shown()))
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
    the_history_lived_through_the_versions()
    past_scores_are_computed_again()
    refreshing_plays_it_again_the_same()
    removal_takes_the_demo_and_nothing_else()


def it_appears_whole_and_consistent(history):
    assert set(history) == {0}, "nobody saw a half"
    leads = Lead.objects.all()
    assert leads.count() > 100
    assert not leads.filter(is_demo=False).exists()
    assert not leads.exclude(Q(email__endswith=".example") | Q(email=None)).exists()
    now = timezone.now()
    assert not leads.filter(Q(rescore_at__lte=now) | Q(route_at__lte=now)).exists(), "all decided"
    routing = Score.objects.filter(model_version__model__routes=True, model_version__status="published")
    assert routing.count() == leads.count()
    forecast = Score.objects.filter(model_version__model__slug="forecast")
    assert 0 < forecast.count() < leads.count(), "only of the industries that the model is about"
    places = Counter(leads.values_list("place", flat=True))
    assert places["nurture"] > places["disqualified"] > 0 and places["sales"] > 3
    assert list(limbo.orphans(at=now)) == []
    assert LocalMail.objects.exists()


def score_of(lead):
    return Score.objects.get(lead=lead, model_version__status="published", model_version__model__routes=True)


def the_stories_are_there():
    def lead(email):
        return Lead.objects.get(email=email)

    now = timezone.now()
    sarah = lead("sarah.klein@brightworks.example")
    assert (sarah.place, sarah.stage) == ("sales", "sales_ready")
    crossed = ScoreChange.objects.filter(lead=sarah).order_by("at")
    assert [row.new_verdict for row in crossed][-1] == "sales_ready"
    assert crossed[0].new_verdict == "mql" and crossed[0].at < now - timedelta(days=11), "why not passed"
    unread = lead("nina.falk@alpenpack.example")
    assert (unread.place, unread.stage) == ("nurture", "mql")
    professor = lead("ines.albrecht@brightvale-edu.example")
    assert (professor.role, professor.stage) == ("researcher", "sql")
    bite = lead("oskar.lind@fjordfoods.example")
    assert bite.place == "sales" and score_of(bite).verdict == "bite" and score_of(bite).engagement < 35
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
    assert score_of(cooled).rating in ("C", "D")
    assert ScoreChange.objects.filter(lead=cooled, new_rating="A").exists(), "it was an A"
    assert Handoff.objects.get(lead=lead("kim@planrival.example")).queue.is_review
    listed = LeadList.objects.get(slug=offer.STORIES).members.filter(until=None)
    assert set(listed.values_list("lead__email", flat=True)) == set(stories.LISTED)
    assert LeadList.objects.get(slug=offer.VIPS).members.exists()
    nobodys = Handoff.objects.get(lead=lead("kenji.mori@sakurakikai.example"))
    assert nobodys in triage.in_my_queues(User.objects.get(username="rita")), "waits where Rita sees it"
    planned = FollowUp.objects.filter(done_at=None, due_at__gt=now)
    assert planned.filter(owner__user__username="rita").exists(), "Rita has planned something"
    assert Lead.objects.filter(custom__has_key="erp_system").exists()
    assert Company.objects.filter(custom__has_key="contract_end").exists()
    assert Activity.objects.filter(touchpoint__kind="search_visit").exists()


def the_history_lived_through_the_versions():
    """The second version came into force half-way; outside, versions and publications stand as they were agreed."""
    first, second = ModelVersion.objects.filter(model__routes=True, number__in=(1, 2)).order_by("number")
    flipped = second.published_at
    assert not ScoreChange.objects.filter(model_version=first, at__gt=flipped).exists()
    assert ScoreChange.objects.filter(model_version=first).exists()
    early = ScoreChange.objects.filter(model_version=second, at__lt=flipped)
    assert not early.exclude(TOLD).exists()
    assert second.model.current_version_id == second.pk
    assert Publication.objects.filter(model=second.model).count() == 2


def past_scores_are_computed_again():
    """As they moved and as they stand; of stories what came to stand since the flip."""
    published = ModelVersion.objects.filter(publications__isnull=False).order_by("publications__at")
    moved = replayed.moved(ScoreChange.objects.exclude(TOLD))
    current = Score.objects.filter(TOLD, model_version__status="published")
    told = replayed.stands(current.filter(as_of__gte=published.last().published_at))
    assert {moment.stood["version"] for moment in moved} == {str(version) for version in published}
    assert len(moved) > 100 and len(told) > 10
    assert replayed.differing(moved + told) == []


def refreshing_plays_it_again_the_same():
    def everybody():
        return sorted(Lead.objects.values_list("search_text", "place", "stage", "cycle_no"))

    before, ended = everybody(), ModelVersion.objects.get(number=1, model__routes=True).superseded_at
    removal.remove()
    assert not (Lead.objects.exists() or Score.objects.exists() or ListMember.objects.exists())
    play_the_end(timezone.now() + timedelta(days=1), lambda *_: None)
    assert everybody() == before
    assert ModelVersion.objects.get(number=1, model__routes=True).superseded_at > ended, (
        "its dates came along"
    )


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


def test_what_scoring_can_do_is_shown(passwords):
    """Each capability is used once, by rules that are sound, and agreed by marketing and sales in the past."""
    model = ScoringModel.objects.get(routes=True)
    version = model.current_version
    rules = list(version.rules.all())
    assert version.number == 2 and publish.problems(version) == []
    assert {rule.kind for rule in rules} == set(Rule.Kind.values)
    for has in ("who", "min_count", "half_life_days", "profile_id", "group_id", "steps", "cap_count"):
        assert any(getattr(rule, has) for rule in rules), has
    asked = json.dumps([rule.condition for rule in rules])
    for criterion in ("custom_field", "domain_in_list", "content", "keyword", "timeline_within", "free_mail"):
        assert f'"{criterion}"' in asked, criterion
    assert version.profiles.count() == 2 and all(group.cap_points for group in version.groups.all())
    assert all(len(rating) == 3 for rating in version.scale.ratings), "action and minutes"
    assert model.goals and model.hypothesis and model.ready_per_week and model.target_market
    days = [
        version.created_at, version.review_asked_at, version.comments.first().at, version.approved_by_marketing_at,
        version.approved_by_sales_at, version.published_at,
    ]  # fmt: skip
    assert days == sorted(days) and days[-1] < timezone.now() - timedelta(days=100)
    assert (version.approved_by_marketing.username, version.approved_by_sales.username) == ("mia", "mona")
    third = model.versions.get(number=3)
    assert third.status == "in_review" and approval.missing(third) == ["sales"]
    assert approval.waiting_for(User.objects.get(username="mona")) == [third]
    assert publish.problems(third) == []
    other = ScoringModel.objects.get(slug="forecast")
    assert other.current_version.status == "published" and not other.routes and other.applies_to


def test_loading_again_keeps_what_was_agreed_since(passwords):
    third = ModelVersion.objects.get(model__routes=True, number=3)
    mona, now = User.objects.get(username="mona"), timezone.now()
    approval.approve(version=third, by=mona, side="sales", at=now)
    publish.publish(version=third, by=mona, at=now)
    later = now + timedelta(days=20)
    judging.set_back(later)
    third.refresh_from_db()
    assert (third.status, third.published_at) == ("published", now)
    assert third.model.versions.get(number=2).superseded_at == now


def test_every_demo_segment_and_rule_is_understood(passwords):
    for segment in Segment.objects.filter(is_demo=True):
        check_segment(slug=segment.slug, condition=segment.condition)
    assert Segment.objects.filter(is_demo=True).count() == len(judging.SEGMENTS)
    assert Asset.objects.filter(is_demo=True, states__until=None).count() == len(offer.ASSETS) >= 12
    domains = set(DomainEntry.objects.filter(list__slug=offer.COMPETITORS).values_list("domain", flat=True))
    rivals = {
        p.company.domain
        for p in population.population(3000)
        if p.company and p.company.relationship == "competitor"
    }
    assert rivals <= domains


def test_pages_say_that_it_is_being_loaded(client, passwords, settings):
    settings.DEMO = True
    client.force_login(User.objects.get(username="mia"))
    with sandbox.sandbox():
        page = client.get("/marketing/").content.decode()
        assert "history is being loaded: 0 leads so far" in page
        assert "no lead yet" not in page.split('id="mix-title"')[0]
    page = client.get("/marketing/").content.decode()
    assert "is being loaded" not in page and "There is no lead yet" in page
    with connection.cursor() as cursor:  # what a killed process leaves
        cursor.execute("CREATE SCHEMA demo_play; CREATE TABLE demo_play.leads_lead (id int)")
    assert sandbox.loading() == ""


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
