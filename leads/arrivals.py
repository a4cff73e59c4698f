"""People as they come in, one or thousands: recognised, created, their fields weighed, in a fixed number of statements.

The order of locks is the same for everybody, so that no two can wait for each other:
companies created, by key → companies held, by id → leads created, by address → external ids, by value →
leads held, by id. Nothing is ever held shared and then wanted alone.
"""

from dataclasses import dataclass, field
from datetime import datetime

from leads import companies, survivorship
from leads.models import Lead
from leads.rows import fetch, insert, typed
from leads.weighing import FIELDS, compose, contested, finish, weigh_arrival

COLUMNS = [column.attname for column in Lead._meta.concrete_fields]
WRITTEN = [
    *FIELDS,
    "custom",
    "company_id",
    "is_role_address",
    "has_external_id",
    "search_text",
    "latest_source_id",
    "updated_at",
]
UPDATED = ["id", "rescore_at", "last_activity_at", *WRITTEN]
LAST = "\U0010ffff"
LOOK = (
    "SELECT {kind}, {key}, l.id, json_build_object('email', l.email, 'company', CASE WHEN c.id IS NOT NULL THEN "
    + companies.AS_JSON
    + " END) FROM leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id {where}"
)
BY_EMAIL = LOOK.format(kind="'email'", key="l.email", where="WHERE l.email = ANY(%s)")
BY_ID = LOOK.format(kind="'lead'", key="l.id::text", where="WHERE l.id = ANY(%s)")
BY_EXTERNAL_ID = LOOK.format(
    kind="'external ' || x.system",
    key="x.value",
    where="JOIN leads_externalid x ON x.lead_id = l.id WHERE x.value = ANY(%s)",
)
# A driver hands out jsonb as text, and json as what it says.
AS_READ = [f"l.{column}" + "::json" * (column == "custom") for column in COLUMNS]
HOLD = f"""
SELECT {", ".join(AS_READ)}, coalesce(nullif(c.name, ''), c.domain),
  (SELECT array_agg(x.value ORDER BY x.id) FROM leads_externalid x WHERE x.lead_id = l.id)
FROM leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id
WHERE l.id = ANY(%s) ORDER BY l.id FOR NO KEY UPDATE OF l
"""  # noqa: S608
HOLD_WITH_COLLEAGUES = """
SELECT id FROM leads_lead WHERE id = ANY(%s) OR company_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
WRITE = f"""
UPDATE leads_lead l SET {", ".join(f"{column} = r.{column}" for column in WRITTEN)},
  rescore_at = least(l.rescore_at, r.rescore_at), last_activity_at = greatest(l.last_activity_at, r.last_activity_at)
FROM {{rows}} r WHERE l.id = r.id
"""  # noqa: S608
# A company's news concern all its people: their fit, and the text by which they are found.
TELL_COLLEAGUES = """
UPDATE leads_lead l SET rescore_at = least(l.rescore_at, %s), search_text = concat_ws(' ',
  l.email, nullif(l.first_name, ''), nullif(l.last_name, ''), coalesce(nullif(c.name, ''), c.domain),
  (SELECT string_agg(x.value, ' ' ORDER BY x.id) FROM leads_externalid x WHERE x.lead_id = l.id))
FROM leads_company c WHERE c.id = l.company_id AND c.id = ANY(%s)
"""


class Again(Exception):
    """Somebody else was faster; the same work from the start finds what they made."""


@dataclass(slots=True)
class Arrival:
    """One set of cleaned values that somebody said about a person, and what became of it."""

    values: dict
    at: datetime  # when it was said: the date of the values
    origin: str = "person"
    overwrite: bool = True
    lead_id: int | None = None  # known beforehand
    creation: dict = field(default_factory=dict)  # columns fixed when the lead is created
    latest_source_id: int | None = None
    engaged_at: datetime | None = None
    by: dict | None = None  # actor and provider of its changes
    # What became of it
    person: "Person | None" = None
    company: dict | None = None
    flags: dict = field(default_factory=dict)  # what could not be kept with lead or company, for the log

    @property
    def external_key(self):
        value = self.values.get("external_id")
        return (self.values.get("external_system") or "default", value) if value else None


@dataclass(slots=True, eq=False)
class Person:
    """A lead while it is worked on."""

    id: int | None = None
    email: str | None = None
    created: bool = False
    has_news: bool = False
    row: dict | None = None
    company_name: str = ""
    external_ids: list = field(default_factory=list)
    arrivals: list = field(default_factory=list)
    changes: list = field(default_factory=list)  # rows of leads_fieldchange, to be inserted by the caller


@dataclass(slots=True)
class Known:
    """What one look at the database told about the keys of a batch."""

    emails: dict = field(default_factory=dict)
    externals: dict = field(default_factory=dict)
    leads: dict = field(default_factory=dict)
    companies: dict = field(default_factory=dict)

    def lead_of(self, arrival):
        """(id, e-mail, company row) of the lead an arrival belongs to, if there is one. The e-mail wins."""
        if arrival.lead_id:
            return self.leads.get(arrival.lead_id)
        email = arrival.values.get("email")
        if email in self.emails:
            return self.emails[email]
        found = self.externals.get(arrival.external_key)
        if found and email and found[1] and not arrival.overwrite:
            return None  # a public form does not give somebody else's record a new address
        return found


def take_in(arrivals, *, now, fill=True):
    """Recognise or create everybody who arrived, and weigh what they said.

    Sets `arrival.person`; returns (persons, change rows the caller still has to insert). With `fill` false, people
    who were known are recognised and left as they are. Raises Again where a race was lost, InvalidLead where
    nothing says who somebody is.
    """
    known = look_up(arrivals)
    changed_companies, changes = settle_companies(arrivals, known, now=now, fill=fill)
    people = recognise(arrivals, known)
    new = [person for person in people if person.id is None]
    add_people(new, now=now)
    link_external_ids(people if fill else new, known)
    if fill:
        held = [person for person in people if not person.created]
        hold(held, changed_companies)
        update_people(held, now=now)
    if changed_companies:
        fetch(TELL_COLLEAGUES, [now, sorted(changed_companies)], returns=False)
    return people, changes + [row for person in people for row in person.changes]


def look_up(arrivals):
    emails = sorted({a.values["email"] for a in arrivals if a.values.get("email")})
    externals = sorted({a.external_key[1] for a in arrivals if a.external_key})
    ids = sorted({a.lead_id for a in arrivals if a.lead_id})
    arms = companies.look_up_arms({key for a in arrivals if (key := companies.key_of(a.values))})
    arms += [
        (sql, keys) for sql, keys in ((BY_EMAIL, emails), (BY_EXTERNAL_ID, externals), (BY_ID, ids)) if keys
    ]
    known = Known()
    if not arms:
        return known
    for kind, text, number, more in fetch(
        " UNION ALL ".join(sql for sql, _ in arms), [keys for _, keys in arms]
    ):
        if kind in ("domain", "name"):
            known.companies[kind, text] = more
        elif kind == "email":
            known.emails[text] = (number, more["email"], more["company"])
        elif kind == "lead":
            known.leads[number] = (number, more["email"], more["company"])
        else:
            known.externals[kind.removeprefix("external "), text] = (number, more["email"], more["company"])
    return known


def settle_companies(arrivals, known, *, now, fill):
    """Give each arrival its company, creating those that are missing; (ids that changed, change rows)."""
    wanted, changes = {}, []
    for arrival in arrivals:
        lead, key = known.lead_of(arrival), companies.key_of(arrival.values)
        # Nobody's company is created only to be proposed.
        if (
            key
            and key not in known.companies
            and not (lead and ((lead[2] and not arrival.overwrite) or not fill))
        ):
            is_demo = arrival.creation.get("is_demo", False)
            wanted.setdefault(key, (arrival.values, arrival.origin, arrival.at, is_demo))
    if wanted:
        added, changes = companies.add(wanted, now=now)
        known.companies |= added
    stated = []
    for arrival in arrivals:
        lead, key = known.lead_of(arrival), companies.key_of(arrival.values)
        arrival.company = arrival.company or known.companies.get(key)
        about = arrival.company or (lead[2] if lead and not key else None)
        if (
            fill
            and about
            and not (lead and lead[2] and lead[2]["id"] != about["id"] and not arrival.overwrite)
        ):
            stated.append((about, companies.facts(arrival.values), arrival.origin, arrival.at, arrival.by))
        if about is None and (homeless := companies.own_fields(arrival.values)):
            arrival.flags["fields_without_company"] = homeless
    changed, more = companies.fill(stated, now=now)
    return changed, changes + more


def recognise(arrivals, known):
    """One Person per lead, known or new, each with its arrivals in the order given. The e-mail goes before the rest."""
    found, people = {}, []
    for arrival in arrivals:
        lead, email, external = known.lead_of(arrival), arrival.values.get("email"), arrival.external_key
        keys = [("email", email)] if email else []
        keys += [("external", external)] if external else []
        keys = [("lead", lead[0])] if lead else keys
        person = next((found[key] for key in keys if key in found and suits(found[key], key, email)), None)
        if person is None:
            person = Person(id=lead[0] if lead else None, email=email)
            people.append(person)
        for key in [*keys, ("email", email)] if email else keys:
            found.setdefault(key, person)
        person.email = person.email or email
        person.arrivals.append(arrival)
        arrival.person = person
    return people


def suits(person, key, email):
    """An external id shared by two different addresses of one batch does not make them one person."""
    return key[0] != "external" or not email or person.email in (None, email)


def add_people(people, *, now):
    """Insert the new ones. Where somebody else just took the address, the work begins again and finds them."""
    for person in people:
        compose(person, now=now)
    people = sorted(people, key=lambda person: person.row["email"] or LAST)
    rows = insert(
        "leads_lead", [p.row for p in people], on_conflict="(email) DO NOTHING", returning="id, email"
    )
    if len(rows) < len(people):
        raise Again
    ids = {email: number for number, email in rows if email}
    nameless = iter(sorted(number for number, email in rows if email is None))
    for person in people:
        person.id = ids[person.row["email"]] if person.row["email"] else next(nameless)
        for change in person.changes:
            change["lead_id"] = person.id


def link_external_ids(people, known):
    """Attach external ids that are new. One that belongs to another lead stays there, and the arrival is flagged."""
    owners = {}
    for person in people:
        for arrival in person.arrivals:
            key = arrival.external_key
            owner = known.externals.get(key)
            if key and (owner[0] if owner else owners.setdefault(key, person.id)) != person.id:
                arrival.flags["external_id_of_another_lead"] = key[1]
    new = [{"lead_id": owners[key], "system": key[0], "value": key[1]} for key in sorted(owners)]
    added = insert("leads_externalid", new, on_conflict="DO NOTHING", returning="id")
    if len(added) < len(new):
        raise Again


def hold(people, changed_companies):
    """Lock known people in id order, and the people of changed companies with them; read them as they are now."""
    ids = sorted(person.id for person in people)
    if changed_companies:
        fetch(HOLD_WITH_COLLEAGUES, [ids, sorted(changed_companies)])
    if not ids:
        return
    found = {row[0]: row for row in fetch(HOLD, [ids])}
    for person in people:
        if person.id not in found:
            raise Again  # erased between the look and the lock
        *values, company_name, external_ids = found[person.id]
        person.row = dict(zip(COLUMNS, values, strict=True))
        person.company_name, person.external_ids = company_name or "", external_ids or []


def update_people(people, *, now):
    """Weigh what was said about known people, and write back those about whom there is news."""
    history = survivorship.histories("lead", contested(people))
    for person in people:
        said = history.setdefault(person.id, survivorship.History())
        for arrival in person.arrivals:
            person.changes += weigh_arrival(person, arrival, said, now=now)
        finish(person, now=now)
    rows = [{column: person.row[column] for column in UPDATED} for person in people if person.has_news]
    if rows:
        relation, param = typed("leads_lead", rows)
        fetch(WRITE.format(rows=relation), [param], returns=False)
