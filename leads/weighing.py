"""What becomes of a person when something is said about them: the values of a row, weighed. Nothing here asks the database.

`person` and `arrival` are those of `leads.arrivals`.
"""

from django.conf import settings

from leads import companies, survivorship
from leads.addresses import is_role_address, registrable_domain
from leads.custom_fields import PREFIX
from leads.intake import NOBODY, InvalidLead
from leads.models import Lead
from leads.survivorship import Change, held, is_empty

NAMES = ("first_name", "last_name")
SAID = (
    "email",
    *NAMES,
    "job_title",
    "role",
    "phone",
    "country",
    "industry",
    "company_size",
    "timeline",
    "product_interest",
    "buying_stage",
)
FIELDS = (*SAID, "timeline_until")
# Columns of a lead as it is before anybody has said anything.
BLANK = {
    column.attname: None if column.null else column.get_default()
    for column in Lead._meta.concrete_fields
    if column.attname != "id"
}


def compose(person, *, now):
    """The row of somebody new: blank, then everything said in this batch, in order."""
    first = person.arrivals[0]
    person.created = True
    person.row = BLANK | {"created_at": now, "rescore_at": now} | first.creation
    person.external_ids = list(dict.fromkeys(a.external_key[1] for a in person.arrivals if a.external_key))
    history = survivorship.History()
    for arrival in person.arrivals:
        person.changes += weigh_arrival(person, arrival, history, now=now)
    row = person.row
    if not (row["email"] or row["phone"] or person.external_ids or (row["last_name"] and row["company_id"])):
        raise InvalidLead([NOBODY])
    row["is_test"] = row["is_test"] or is_internal(row["email"])
    finish(person, now=now)


def is_internal(email):
    host = (email or "").partition("@")[2]
    return bool({host, registrable_domain(host)} & set(settings.INTERNAL_DOMAINS)) if host else False


def said_in(arrival):
    """The values of an arrival that are columns of a lead, or custom fields of it."""
    values = arrival.values
    said = {name: values[name] for name in SAID if name in values}
    for name in values:
        if name.startswith(PREFIX):
            said[name] = values[name]
    return said


def weigh_arrival(person, arrival, history, *, now):
    """Apply one arrival to the person's row; its change rows."""
    row, values = person.row, said_in(arrival)
    guarded = NAMES if row["is_role_address"] and arrival.origin != "rep" else ()
    if "timeline" in values and row["timeline_until"] and row["timeline_until"] < arrival.at:
        row["timeline"] = ""  # an answer whose window has passed is unknown again
    how = {"origin": arrival.origin, "at": arrival.at, "overwrite": arrival.overwrite, "history": history}
    changes = survivorship.weigh(row, values, guarded=guarded, **how)
    changes += redate(row, arrival, changes)
    changes += weigh_company(person, arrival, how)
    row["is_role_address"] = bool(row["email"]) and is_role_address(row["email"])
    return survivorship.change_rows(changes, now=now, lead_id=person.id, by=arrival.by)


def redate(row, arrival, changes):
    """The end of the timeline's window: follows a new answer, and moves on when the same answer is given again."""
    if "timeline" not in arrival.values or row["timeline"] != arrival.values["timeline"]:
        return []
    old, new = row["timeline_until"], arrival.values.get("timeline_until")
    changed = any(change.field == "timeline" and change.applied for change in changes)
    if old == new or not (changed or (old and new and new > old)):
        return []
    row["timeline_until"] = new
    return [Change("timeline_until", old, new, True, arrival.origin, arrival.at)]


def weigh_company(person, arrival, how):
    """The company is one more field; its history holds id and name. An address alone only fills."""
    company, row = arrival.company, person.row
    if row["company_id"] and not companies.is_stated(arrival.values):
        return []
    if company is None:
        name = arrival.values.get("company")
        if not name or companies.name_key(name) == companies.name_key(person.company_name):
            return []
        company = {"id": None, "name": name}
    shown = {"id": company["id"], "name": company["name"] or company["domain"]}
    before = {"id": row["company_id"], "name": person.company_name} if row["company_id"] else None
    if before and before["id"] == shown["id"]:
        return []
    holder = {"company": before}
    changes = survivorship.weigh(holder, {"company": shown}, **how)
    if holder["company"] == shown:
        row["company_id"], person.company_name = shown["id"], shown["name"]
    return changes


def finish(person, *, now):
    """Columns that follow from the others."""
    row = person.row
    for arrival in person.arrivals:
        row["latest_source_id"] = arrival.latest_source_id or row["latest_source_id"]
        if arrival.engaged_at:
            row["last_activity_at"] = max(arrival.engaged_at, row["last_activity_at"] or arrival.engaged_at)
            person.has_news = True
        key = arrival.external_key
        if key and key[1] not in [*person.external_ids, arrival.flags.get("external_id_of_another_lead")]:
            person.external_ids.append(key[1])
            person.has_news = True
    if person.has_news or any(change["applied"] for change in person.changes):
        person.has_news = True
        row["has_external_id"] = bool(person.external_ids)
        row["search_text"] = search_text(person)
        row["updated_at"] = now
        row["rescore_at"] = min(now, row["rescore_at"] or now)


def search_text(person):
    row = person.row
    words = (row["email"], row["first_name"], row["last_name"], person.company_name, *person.external_ids)
    return " ".join(word for word in words if word)


def contested(people):
    """(lead id, field) of filled fields about which somebody now says something else."""
    pairs = set()
    for person in people:
        row = person.row
        for arrival in person.arrivals:
            pairs |= {
                (person.id, name)
                for name, value in said_in(arrival).items()
                if not is_empty(held(row, name)) and held(row, name) != value
            }
            if row["company_id"] and companies.is_stated(arrival.values):
                pairs |= (
                    {(person.id, "company")}
                    if (arrival.company or {}).get("id") != row["company_id"]
                    else set()
                )
    return pairs
