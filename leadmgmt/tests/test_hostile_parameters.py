"""Two hundred hostile texts through every parameter of every route: 4xx, or an honest answer, and never a word of SQL.

The routes and their parameters are those of `doors` and `house`. Here some texts go through each parameter, another part of
them through each; `HOSTILE_ROUNDS` says how many (`python -m bench hostile`: all of them through all). Criteria by
themselves: `leads/tests/test_criteria_hostile.py`; markup in pages: `distribution/tests/test_browser.py`.
"""

import logging
import os
import re
import time
from collections import Counter, defaultdict
from copy import copy
from functools import reduce
from html import unescape

import pytest
from django.contrib import admin
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import QueryDict
from django.template.response import SimpleTemplateResponse

from distribution.api import OwnedLeadFilter
from distribution.forms import SignInForm
from leadmgmt.tests import house
from leadmgmt.tests.doors import PATH, TREE, Visitor, forms_of, open_all, routes, urlencoded
from leadmgmt.tests.listening import BODY, COOKIE, FILES, HEADER, QUERY, names_in_code
from leads import intake
from leads.models import Lead
from leads.tests.hostile_strings import STRINGS

pytestmark = pytest.mark.django_db
MINUTES = float(os.environ.get("HOSTILE_MINUTES", "inf"))
START = float(os.environ.get("HOSTILE_START", "0"))  # share of the knocks that an earlier run has done
ROUNDS = int(os.environ.get("HOSTILE_ROUNDS", "1"))
LEAKS = (
    "psycopg",
    "syntax error",
    "LINE 1:",
    "ProgrammingError",
    "DataError",
    "Traceback",
    "SECRET_KEY =",
)
OURS = "|".join(sorted(connection.introspection.django_table_names()))
STATEMENT = re.compile(rf'\b(?:FROM|JOIN|INTO|UPDATE) "(?:{OURS})"')
NARROWING = {"owner", "source", "rating", "segment", "stage", "place"}
COUNTED = Counter()  # what `bench.hostile` prints


@pytest.fixture
def built(settings, monkeypatch):
    settings.DOORBELLS_SILENT = True
    settings.TRUSTED_PROXIES = 1
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "nurturing.mailbox.MailboxBackend"
    monkeypatch.setattr(SignInForm, "doors", lambda form: {})  # what closes them is the number of knocks
    logging.disable(logging.CRITICAL)
    yield house.build()
    logging.disable(logging.NOTSET)


@pytest.fixture
def visitor(built):
    return Visitor(user=built.ada, key=built.key)


class Statements:
    """Every statement that is sent, to find texts in it that should have been bound."""

    def __init__(self):
        self.sent = []

    def __call__(self, execute, sql, params, many, context):
        self.sent.append(str(sql))
        return execute(sql, params, many, context)

    def holding(self, texts):
        return [text for text in texts if any(text in sql for sql in self.sent)]


@pytest.fixture
def spared(monkeypatch, built):
    """Done once, as it is the same for every text: who asks and what they may, the frame of the admin's pages, and most of
    their HTML."""
    rendered, frames = SimpleTemplateResponse.rendered_content, {}
    built.ada.get_all_permissions()
    users = {built.ada.pk: built.ada}
    frame = admin.site.each_context

    def content(answer):
        context = answer.context_data or {}
        is_list_or_posted = answer._request.method == "POST" or "adminform" not in context
        return "" if "opts" in context and is_list_or_posted else rendered.fget(answer)

    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", property(content))
    monkeypatch.setattr(ModelBackend, "get_user", lambda backend, pk: copy(users[int(pk)]))
    monkeypatch.setattr(
        admin.site, "each_context", lambda request: dict(frames or frames.update(frame(request)) or frames)
    )


def judged(visitor, door, said, own):
    """(answer, what is wrong with it, in words or "")."""
    statements = Statements()
    with connection.execute_wrapper(statements):
        answer = visitor.knock(door, said)
    COUNTED["requests"] += 1
    text = b"".join(answer).decode("utf-8", "replace")
    texts = [one for one in said.values() if isinstance(one, str) and len(one) > 3 and one not in own]
    problems = [f"says {leak}" for leak in leaks(text)]
    problems += [f"{one[:60]!r} is in a statement" for one in statements.holding(texts)]
    if answer.status_code >= 500:
        problems.append(f"{answer.status_code} {answer.exc_info and repr(answer.exc_info[1])[:200]}")
    elif answer.status_code == 200 and len(said) == 1:
        ((_, name), text), *_ = said.items()
        problems += [f"shows {row} for {name}" for row in shown_for(door, answer, name, text)]
    return answer, "; ".join(problems)


def leaks(text):
    """What an answer says of the code or the database: also as HTML or JSON writes it, not where a text just ends."""
    statements = STATEMENT.findall(unescape(text).replace('\\"', '"'))
    return [leak for leak in LEAKS if leak in text] + statements


def shown_for(door, answer, name, text):
    """Rows that an answer shows although nothing of theirs is what was asked for."""
    if door.route == "api-leads" and door.body is None and text.strip():
        rows = Lead.objects.in_bulk([row["id"] for row in answer.json()["results"]]).values()
        if name == "search":
            return [row for row in rows if not holds([row.search_text], text)]
        return rows if name in NARROWING else ()
    if door.route == "my-leads" and name == "q":
        return [row for row in answer.context["page"].rows if not holds([row.handoff.lead.search_text], text)]
    if door.route.endswith("_changelist") and door.body is None:
        listed = answer.context_data["cl"]
        if name == "q":
            rows = (
                listed.result_list if listed.search_fields else ()
            )  # else there is no search, and none in the page
            return [row for row in rows if not holds(searched(row, listed.search_fields), text)]
        is_filter = name in ("list", "segment") or (name.endswith("__exact") and not text.isdecimal())
        return listed.result_list if is_filter else ()
    return ()


def searched(row, fields):
    """The texts in which the search of a list looks."""
    return [str(reduce(lambda one, part: getattr(one, part, ""), field.split("__"), row)) for field in fields]


def holds(texts, asked):
    return all(any(word.strip("\"'").upper() in text.upper() for text in texts) for word in asked.split())


def together(visitor, opened, said, own):
    """All fields otherwise; then once more only those that were taken, so that they are saved."""
    answer, problem = judged(visitor, opened.door, said, own)
    refused = refusals(answer)
    kept = {
        (place, name): text for (place, name), text in said.items() if name.partition("/")[0] not in refused
    }
    if problem or not refused or not kept:
        return problem
    return judged(visitor, opened.door, kept, own)[1]


def refusals(answer):
    """Names of the fields that an answer refuses."""
    if answer.headers.get("Content-Type", "").startswith("application/json"):
        return {error["attr"] for error in answer.json().get("errors", [])}
    shown = answer.context and answer.context.get("problems")
    return {form.add_prefix(name) for form in forms_of(answer) for name in form.errors} | set(shown or ())


# --- which texts through which parameters -----------------------------------------------------------

NAME = "(a name)"  # the text itself is the name of a parameter
# Asked by the same code of Django's or the admin theme's at many doors: each text at one of them in turn.
SAME = re.compile(
    r"_.*|all|p|e|s|index|select_across|dataset|post|action|theme|.*__isnull|.*-clear|.*csrf.*|unknown|.a name."
)
OF_ROWS = re.compile(r"\w+-(?:\d+-)?(?=\w+$)")  # in front of what a table inside a form keeps for itself


def shared_name(door, place, name):
    """Under which name a parameter is one that other doors have too, read by the same code; else nothing."""
    own = not door.route.startswith("admin:")
    if place in (COOKIE, HEADER):
        return "" if name in (*door.headers, "User-Agent", "Origin", "Referer") else name
    if place == PATH and name != "object_id":
        return routes()[door.route].partition(f":{name}>")[0].rpartition("<")[2]  # its converter
    if own:
        same = (
            name == "next" or name in ("as_of", "model") or (name in (NAME, "unknown") and door.by == "ada")
        )
        return name if same else ""
    if door.route.endswith("_values"):
        return f"{name} {list(door.query.values())}"
    if door.route.endswith("_condition") and name != "tree" and place != TREE:
        return f"{name} of a builder"
    if place == QUERY and door.body is not None and name not in door.query:
        return "a list's, beside a post"
    if OF_ROWS.match(name) or SAME.fullmatch(name):
        return OF_ROWS.sub("", name)
    return (
        name if name == "object_id" and (door.body is not None or not door.route.endswith("_change")) else ""
    )


def schedule(opened, rounds):
    """[(Opened, {(place, name): text})] of all knocks: each text, or as many as there are rounds, through each parameter."""
    shared, alone, knocks = defaultdict(list), {}, []
    for one in opened:
        for place, name in sorted(one.parameters | {(QUERY if one.door.body is None else BODY, NAME)}):
            if (place, name) in one.fields:
                continue
            if same := shared_name(one.door, place, name):
                shared[place, same].append((one, place, name))
                continue
            # At a route with several doors: where the parameter is given, else where it is asked first.
            given = one.door.said if name in one.door.said else ""
            alone.setdefault((str(one.door), place, name, str(given)), (one, place, name))
    for number, doors in enumerate([*([door] for door in alone.values()), *shared.values()]):
        for turn in range(rounds):
            one, place, name = doors[turn % len(doors)]
            text = STRINGS[(number * 37 + turn) % len(STRINGS)]
            knocks.append((one, {(place, text): "x"} if name == NAME else {(place, name): text}))
    for number, one in enumerate(each for each in opened if each.fields):
        for turn in range(rounds):
            texts = [
                STRINGS[(number * 37 + turn + 11 * place) % len(STRINGS)] for place in range(len(one.fields))
            ]
            knocks.append((one, dict(zip(sorted(one.fields), texts, strict=True))))
    return knocks


# --- the tests ----------------------------------------------------------------------------------------


def test_every_route_has_a_door(built):
    assert set(routes()) == {door.route for door in house.doors(built)}


@pytest.mark.usefixtures("spared")
def test_no_parameter_is_left_out_and_none_is_a_way_in(built, visitor):
    statements = Statements()
    with connection.execute_wrapper(statements):
        opened = open_all(visitor, house.doors(built))
    assert not unheard(opened)
    own = set(statements.holding(STRINGS))  # what our statements say themselves
    knocks, findings = schedule(opened, ROUNDS), defaultdict(list)
    COUNTED["planned"], until = len(knocks), time.monotonic() + 60 * MINUTES
    del knocks[: round(START * len(knocks))]
    for one, texts in knocks:
        if time.monotonic() > until:
            break
        problem = (
            together(visitor, one, texts, own) if len(texts) > 1 else judged(visitor, one.door, texts, own)[1]
        )
        COUNTED["knocks"] += 1
        if problem:
            findings[str(one.door), problem].append(texts)
            COUNTED["findings"] = len(findings)
            print(COUNTED["knocks"], one.door, problem, str(texts)[:300], flush=True)
        if COUNTED["knocks"] % 5000 == 0:
            print(f"{COUNTED['knocks']} of {len(knocks)}", flush=True)
    assert not findings, "\n".join(
        f"{door}: {problem}: {str(said[0])[:300]} ({len(said)} times)"
        for (door, problem), said in findings.items()
    )


# What once answered 500, or showed what nobody asked for: (door, what is said, status).
ONCE = [
    ("GET api-schema", {(QUERY, "version"): "a\r\nSet-Cookie: x"}, 200),
    ("POST log-call", {(BODY, "next"): "team"}, 302),
    ("POST model-version-act", {(BODY, "next"): "x'"}, 302),
    ("GET my-leads", {(QUERY, "q"): "a\x00b"}, 200),
    ("GET admin:search", {(QUERY, "page"): "x"}, 404),
    ("GET admin:search", {(QUERY, "page"): "99"}, 404),
    ("GET admin:nurturing_program_change", {(PATH, "object_id"): "x"}, 302),
    ("GET admin:distribution_companyowner_add", {(QUERY, "since"): "x", (QUERY, "rep"): "x"}, 200),
    ("GET admin:distribution_companyowner_add", {(QUERY, "since"): "2026-01-01"}, 200),
    ("GET admin:leads_campaign_add", {(QUERY, "products"): "x"}, 200),
    ("POST admin:scoring_rule_impact", {(BODY, "try"): "\x00"}, 200),
    ("POST admin:leads_enrichmentupload_add", {(FILES, "file"): '"'}, 200),
    ("POST admin:scoring_rule_changelist", {(BODY, "_selected_action"): "\t"}, 302),
    ("POST admin:auth_user_changelist", {(BODY, "_selected_action"): "a.b"}, 302),
    ("POST admin:leads_captureform_change", {(BODY, "questions-INITIAL_FORMS"): "00"}, 200),
    ("GET admin:leads_apikey_add", {(QUERY, "scopes"): "null"}, 200),
    ("POST admin:leads_asset_add", {(BODY, "tags"): "\x00"}, 200),
    ("POST admin:leads_captureform_change", {(BODY, "questions-0-choices"): "\x00"}, 200),
    ("POST admin:scoring_rule_condition", {(BODY, "days"): "000001" + "9" * 5000}, 200),
    ("GET admin:leads_lead_changelist", {(QUERY, "segment"): "nobody"}, 200),
]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('SELECT 1 FROM "leads_lead" WHERE', 1),
        ("UPDATE &quot;leads_lead&quot; SET", 1),
        (r'{"detail": "JOIN \"scoring_rule\" ON"}', 1),
        ("psycopg2.errors.DataError", 2),
        ('<input value="SELECT 1 FROM " class="x">', 0),
        ("&#x27;); DELETE FROM leads_activity; --", 0),
    ],
)
def test_what_an_answer_says_of_the_database(text, count):
    assert len(leaks(text)) == count


def test_what_was_a_way_in_once(built, visitor):
    doors = {str(door): door for door in reversed(house.doors(built))}
    answers = [visitor.knock(doors[door], said) for door, said, _ in ONCE]
    assert [answer.status_code for answer in answers] == [status for *_, status in ONCE]
    assert answers[1]["Location"].startswith("/leads/")
    assert not answers[-1].context["cl"].result_list


def unheard(opened):
    """Names written out in the code that no request made it ask for: a door is missing, or what opens a branch."""
    heard = set().union(*(one.heard for one in opened))
    code = names_in_code(["leads", "scoring", "nurturing", "distribution", "leadmgmt"])
    return {name: path for name, path in code.items() if name not in heard}


# --- every text, where one is read --------------------------------------------------------------------


def test_the_filters_of_the_api(built):
    """Each refuses a text by name, or finds what it holds: nobody, but for what is searched for."""
    for name in OwnedLeadFilter.base_filters:
        for text in STRINGS:
            found = OwnedLeadFilter(QueryDict(urlencoded({name: text})), queryset=Lead.objects.all())
            if not found.is_valid():
                assert list(found.errors) == [name]
            elif text.strip():
                rows = list(found.qs[:5])
                assert (
                    all(holds([row.search_text], text) for row in rows) if name == "search" else not rows
                ), (name, text)


def problems_of(name, text):
    values = {"external_id": "1"} | {name: text}
    try:
        intake.clean(values, strict=name in intake.FIELDS)
    except intake.InvalidLead as error:
        return error.problems
    return []


def test_the_fields_of_a_lead_that_comes_in():
    """Taken as text, or refused with the name of the field and a remedy."""
    found = [
        (name, each) for name in intake.FORM_FIELDS for text in STRINGS for each in problems_of(name, text)
    ]
    assert {name for name, _ in found} >= {"email", "company_size", "occurred_at", "phone"}
    assert not [each for name, each in found if each[0] not in (name, "email") or not each[2]]


@pytest.mark.usefixtures("spared")
def test_the_fields_of_every_form(visitor):
    """Taken, or refused as a form refuses: also those that ask the database whether there is such a row."""
    fields = {
        (type(form), name): field
        for door in house.admin_pages() if door.is_form
        for form in forms_of(visitor.knock(door)) for name, field in form.fields.items()
    }  # fmt: skip
    assert len(fields) > 200
    for (form, name), field in fields.items():
        for text in STRINGS:
            read = field.widget.value_from_datadict({"x": text, "x_0": text, "x_1": text}, {}, "x")
            try:
                field.clean(read)
            except ValidationError:
                continue
            except Exception as error:
                raise AssertionError(f"{form.__name__}.{name}: {text[:60]!r}") from error
