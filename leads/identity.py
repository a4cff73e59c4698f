"""Who somebody is, and the only door for field values.

`resolve` recognises or creates; `set_fields` weighs what is said about a lead or a company against what is known
(survivorship: rep > person > import > enrichment) and writes one FieldChange per value, proposals included.
"""

import random
import time

from django.db import DataError, IntegrityError, OperationalError, transaction

from leads import activities, channels, companies, custom_fields, doorbell, intake, survivorship
from leads.arrivals import TELL_COLLEAGUES, Again, Arrival, take_in
from leads.intake import InvalidLead
from leads.models import Company, FieldChange, Lead
from leads.rows import fetch, insert
from leads.weighing import FIELDS

ATTEMPTS = 8
IDENTIFYING = (
    "email", "external_id", "external_system", "phone", "first_name", "last_name", "company", "company_domain", "is_test",
)  # fmt: skip
SAYABLE = {*FIELDS, *intake.FORM_FIELDS, "external_system", "is_test"}
COMPANY_FIELDS = ("name", "size", "industry", "country", "relationship")
HOLD_PEOPLE_OF = "SELECT id FROM leads_lead WHERE company_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def in_one_transaction(work):
    """Run `work` in a transaction of its own, from the start again where a race was lost or a deadlock broken.

    What PostgreSQL refuses in the end is the input's fault and says so; nothing half-done stays.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return work()
        except Again:
            if attempt == ATTEMPTS:
                raise OperationalError("too many writers for the same lead") from None
        except IntegrityError as error:
            activities.forget()
            channels.forget()
            if attempt == ATTEMPTS:
                raise unstorable() from error
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) != "40P01" or attempt == ATTEMPTS:
                raise
        except DataError as error:
            raise unstorable() from error
        time.sleep(random.uniform(0, 0.005) * attempt)
    raise AssertionError


def unstorable():
    return InvalidLead([("", "cannot be stored as it is.", "Check the values and send them again.")])


def resolve(*, values, at, is_demo=False):
    """The lead these cleaned values belong to, created where there is none; `(Lead, created)`.

    The e-mail address decides, else the external id. Phone, or name with company, never merges: it makes a new lead.
    A lead that was known is left as it is.
    """
    ((lead_id, created),) = resolve_many([values], at=at, is_demo=is_demo)
    return Lead.objects.select_related("company").get(pk=lead_id), created


def resolve_many(values, *, at, is_demo=False):
    """`resolve` for a list; `(lead id, created)` in the same order. Of two that are one, only the first is created."""

    def work():
        arrivals = [
            Arrival(
                {name: said[name] for name in IDENTIFYING if name in said},
                at=at,
                creation=creation(said, is_demo),
            )
            for said in values
        ]
        _, changes = take_in(arrivals, now=at, fill=False)
        insert("leads_fieldchange", changes)
        return firsts(arrivals)

    found = in_one_transaction(work)
    if any(created for _, created in found):
        doorbell.ring("score")
    return found


def creation(values, is_demo):
    return {"is_demo": is_demo, "is_test": bool(values.get("is_test"))}


def firsts(arrivals):
    return [(a.person.id, a.person.created and a.person.arrivals[0] is a) for a in arrivals]


def set_fields(*, lead=None, company=None, values, origin, at, actor=None, overwrite=True, provider=""):
    """Say what `lead` or `company` is; the FieldChanges this made, `applied` false on mere proposals.

    `values`: cleaned; for a lead the fields of `weighing.SAID`, `timeline_until`, and `company` as a Company or as
    typed; for a company COMPANY_FIELDS; for both `custom.<key>`, None to empty it. `origin`: a FieldChange.FieldOrigin;
    `provider`: who sold us an enriched value. Keeps the given object up to date.
    """
    target = lead if lead is not None else company
    changes = set_fields_many(
        [(target, values)], origin=origin, at=at, actor=actor, overwrite=overwrite, provider=provider
    )  # fmt: skip
    if changes:
        target.refresh_from_db()
    return changes


def set_fields_many(items, *, origin, at, actor=None, overwrite=True, provider=""):
    """`set_fields` for a list of (Lead or Company, values); the FieldChanges made."""
    if origin not in survivorship.RANK:
        raise ValueError(f"unknown origin {origin!r}")
    people = [(target, values) for target, values in items if isinstance(target, Lead)]
    organisations = [(target, values) for target, values in items if isinstance(target, Company)]
    how = {"origin": origin, "at": at, "overwrite": overwrite}
    by = {"actor_id": actor and actor.pk, "provider": provider}
    rows = in_one_transaction(
        lambda: say_of_companies(organisations, by=by, **how) + say_of_leads(people, by=by, **how)
    )
    if any(row["applied"] for row in rows):
        doorbell.ring("score")
    return [FieldChange(**row) for row in rows]


def say_of_leads(items, *, origin, at, by, overwrite):
    if not items:
        return []
    arrivals = []
    for target, values in items:
        if unknown := {name for name in values.keys() - SAYABLE if not custom_fields.is_value(name)}:
            raise ValueError(f"not fields of a lead: {sorted(unknown)}")
        arrival = Arrival(
            dict(values), at=at, origin=origin, overwrite=overwrite, lead_id=target.pk, by=by
        )  # fmt: skip
        if isinstance(values.get("company"), Company):
            chosen = arrival.values.pop("company")
            arrival.company = {
                column: getattr(chosen, column)
                for column in ("id", "name", "domain", *companies.FACTS, "custom")
            }
            arrival.values["chosen_company"] = True
        arrivals.append(arrival)
    refuse_taken_addresses(arrivals)
    _, changes = take_in(arrivals, now=at)
    return numbered(changes)


def refuse_taken_addresses(arrivals):
    """An address that is another lead's already cannot be given to this one: the two must be merged."""
    wanted = {a.values["email"]: a.lead_id for a in arrivals if a.values.get("email")}
    taken = fetch("SELECT email, id FROM leads_lead WHERE email = ANY(%s)", [list(wanted)]) if wanted else []
    if any(wanted[email] != lead_id for email, lead_id in taken):
        raise InvalidLead(
            [("email", "belongs to another lead.", "Merge the two leads, or use another address.")]
        )


def say_of_companies(items, *, origin, at, by, overwrite):
    """Lock, weigh and write companies; then tell their people's scores and search texts."""
    if not items:
        return []
    rows = {target.pk: {"id": target.pk} for target, _ in items}
    companies.hold(rows, rows.keys())
    said = {}
    for target, values in items:
        unknown = {name for name in values.keys() - set(COMPANY_FIELDS) if not custom_fields.is_custom(name)}
        if unknown:
            raise ValueError(f"not fields of a company: {sorted(unknown)}")
        said.setdefault(target.pk, {}).update(values)
    history = survivorship.histories(
        "company", {(number, name) for number, values in said.items() for name in values}
    )
    changes = []
    for number, values in said.items():
        made = survivorship.weigh(
            rows[number], values, origin=origin, at=at, overwrite=overwrite, history=history[number]
        )  # fmt: skip
        changes += survivorship.change_rows(made, now=at, company_id=number, by=by)
    changed = sorted({change["company_id"] for change in changes if change["applied"]})
    companies.write([rows[number] for number in changed], now=at)
    if changed:
        fetch(HOLD_PEOPLE_OF, [changed])
        fetch(TELL_COLLEAGUES, [at, changed], returns=False)
    return numbered(changes)


def numbered(changes):
    """Insert change rows; the same rows with their ids."""
    ids = insert("leads_fieldchange", changes, returning="id")
    return [{"id": number, **row} for (number,), row in zip(sorted(ids), changes, strict=True)]
