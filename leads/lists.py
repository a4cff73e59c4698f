"""Lists kept by hand: leads put on one and taken off, domains likewise, each with its dates.

Membership is never deleted: it ends, so that a past score can be computed again and a step undone. Whoever comes or
goes is asked to be scored again; long lists are worked off in batches of a transaction each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from django.db import transaction

from leads import places, telling
from leads.addresses import free_mail
from leads.cleaners import Problem, domain, email
from leads.models import DomainEntry, DomainList, LeadList, ListMember
from leads.rows import fetch

BATCH = 5_000
SHOWN = 100  # lines of a paste that are named because of a mistake

PUT_ON = """
INSERT INTO leads_listmember (list_id, lead_id, since)
SELECT %s, l.id, %s FROM leads_lead l WHERE l.id = ANY(%s) ORDER BY l.id
ON CONFLICT (list_id, lead_id) WHERE until IS NULL DO NOTHING RETURNING lead_id
"""
TAKE_OFF = """
UPDATE leads_listmember m SET until = %s FROM (
  SELECT id FROM leads_listmember WHERE list_id = %s AND lead_id = ANY(%s) AND until IS NULL
  ORDER BY lead_id FOR UPDATE
) held WHERE m.id = held.id RETURNING m.lead_id
"""
LIST_DOMAINS = """
INSERT INTO leads_domainentry (list_id, domain, since) SELECT %s, d, %s FROM unnest(%s::text[]) AS d ORDER BY d
ON CONFLICT (list_id, domain) WHERE until IS NULL DO NOTHING RETURNING domain
"""
# The last steps on a list, newest first: what came at one instant, and what went at one.
STEPS = """
SELECT at, bool_and(came), count(*) FROM (
  SELECT since AS at, true AS came FROM {table} WHERE list_id = %s
  UNION ALL SELECT until, false FROM {table} WHERE list_id = %s AND until IS NOT NULL
) AS steps GROUP BY at, came ORDER BY at DESC, 2 LIMIT %s
"""


@dataclass
class Read:
    """What a paste or a file said: what could be read, and the lines that could not, as (line, text, problem)."""

    found: list = field(default_factory=list)
    problems: list = field(default_factory=list)


# --- leads ---------------------------------------------------------------------------------------------


def add_to_list(*, to: LeadList, lead_ids: Iterable[int], at):
    """Put leads on a list; how many were not on it. `lead_ids`: any number, a queryset of ids too."""
    return in_batches(lead_ids, lambda ids: fetch(PUT_ON, [to.pk, at, ids]), at=at)


def take_off_list(*, off: LeadList, lead_ids: Iterable[int], at):
    """Take leads off a list; how many were on it."""
    return in_batches(lead_ids, lambda ids: fetch(TAKE_OFF, [at, off.pk, ids]), at=at)


def in_batches(lead_ids, change, *, at):
    moved, rest = 0, iter(lead_ids.iterator(BATCH) if hasattr(lead_ids, "iterator") else lead_ids)
    while batch := sorted(set(islice(rest, BATCH))):
        with transaction.atomic():
            ids = [row[0] for row in change(batch)]
            if ids:
                places.ask_rescore(lead_ids=ids, at=at)
        moved += len(ids)
    return moved


def undo_step(*, of: LeadList, step, at):
    """Take back what was done to a list at the instant `step`; how many leads came or went."""
    members = ListMember.objects.filter(list=of)
    came = list(members.filter(since=step, until=None).values_list("lead_id", flat=True))
    went = list(members.filter(until=step).values_list("lead_id", flat=True))
    return take_off_list(off=of, lead_ids=came, at=at) + add_to_list(to=of, lead_ids=went, at=at)


def leads_by_email(text):
    """The leads of pasted or uploaded addresses, separated by anything; a Read with their ids.

    What is not an address, and addresses of nobody, are problems with their line.
    """
    read, asked = Read(), {}
    for number, line in enumerate(text.replace("\x00", "").splitlines(), start=1):
        for word in line.replace(";", " ").replace(",", " ").replace('"', " ").replace("\t", " ").split():
            if "@" in word and len(word) < 1000:
                try:
                    asked.setdefault(email(word.strip("<>()'")), (number, word))
                except Problem as problem:
                    note(read, number, word, f"{problem.problem} {problem.remedy}")
        if "@" not in line and line.strip() and number > 1:
            note(read, number, line, "has no e-mail address.")
    known = dict(fetch("SELECT email, id FROM leads_lead WHERE email = ANY(%s)", [list(asked)]))
    read.found = list(known.values())
    for address, (number, _) in asked.items():
        if address not in known:
            note(read, number, address, "belongs to no lead. Import the lead first.")
    read.problems.sort()
    return read


def note(read, number, text, problem):
    read.problems.append((number, text.strip()[:100], problem))


# --- domains --------------------------------------------------------------------------------------------


def domains_in(text):
    """Domains, one or several to a line, as registrable domains; a Read. Addresses of pages and mail are fine too."""
    read = Read()
    for number, line in enumerate(text.replace("\x00", "").splitlines(), start=1):
        for word in line.replace(";", " ").replace(",", " ").replace("\t", " ").split():
            try:
                name = domain(word)
                if name in free_mail():
                    note(read, number, word, "is a free-mail provider: anybody may have an address there.")
                else:
                    read.found.append(name)
            except Problem as problem:
                note(read, number, word, f"{problem.problem} {problem.remedy}")
    read.found = sorted(set(read.found))
    return read


def add_domains(*, to: DomainList, domains: Iterable[str], at):
    """Put registrable domains on a list; those that were not on it."""
    with transaction.atomic():
        added = sorted(row[0] for row in fetch(LIST_DOMAINS, [to.pk, at, list(domains)]))
        request = tell(added, at)
    return finished(request, added)


def take_off_domains(*, off: DomainList, domains: Iterable[str], at):
    """End the entries of these domains; those that were on the list."""
    with transaction.atomic():
        rows = DomainEntry.objects.select_for_update().filter(list=off, domain__in=list(domains), until=None)
        gone = sorted(row.domain for row in rows.order_by("domain"))
        DomainEntry.objects.filter(list=off, domain__in=gone, until=None).update(until=at)
        request = tell(gone, at)
    return finished(request, gone)


def undo_domains(*, of: DomainList, step, at):
    """Take back what was done to a domain list at the instant `step`; how many domains came or went."""
    came = list(DomainEntry.objects.filter(list=of, since=step, until=None).values_list("domain", flat=True))
    went = list(DomainEntry.objects.filter(list=of, until=step).values_list("domain", flat=True))
    back = take_off_domains(off=of, domains=came, at=at) if came else []
    return len(back) + (len(add_domains(to=of, domains=went, at=at)) if went else 0)


def tell(domains, at):
    below = [f"%.{name}" for name in domains]
    return telling.ask(what="domains", domains=domains, below=below, at=at) if domains else None


def finished(request, domains):
    if request is not None:
        telling.go_on(request, at_most=telling.AT_ONCE)
    return domains


def last_steps(*, of, most=5):
    """[(instant, whether something came, how many)] of a list, newest first."""
    table = ListMember._meta.db_table if isinstance(of, LeadList) else DomainEntry._meta.db_table
    return fetch(STEPS.format(table=table), [of.pk, of.pk, most])
