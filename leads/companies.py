"""Which organisation somebody belongs to: found by registrable domain, else by the name as typed."""

import unicodedata

from leads import survivorship
from leads.addresses import business_domain
from leads.custom_fields import OF_COMPANY
from leads.rows import fetch, insert_sql, typed
from leads.survivorship import CUSTOM, held, is_empty

FACTS = {
    "size": "company_size",
    "industry": "industry",
    "country": "country",
}  # company column: lead's answer
LEGAL_FORMS = frozenset(
    "ag as asa bv co corp corporation gmbh inc incorporated kg kgaa limited llc llp ltd lda ltda mbh nv oy oyj plc pte"
    " pty sa sarl sas se spa srl sro ug ab aps".split()
)
AS_JSON = (
    "json_build_object('id', c.id, 'name', c.name, 'domain', c.domain, 'size', c.size,"
    " 'industry', c.industry, 'country', c.country, 'custom', c.custom)"
)

BY_DOMAIN = f"""SELECT 'domain', d.domain, c.id, {AS_JSON} FROM leads_companydomain d
JOIN leads_company c ON c.id = d.company_id WHERE d.domain = ANY(%s)"""  # noqa: S608
BY_NAME = f"""SELECT 'name', c.name_key, c.id, {AS_JSON} FROM leads_company c
WHERE c.name_key = ANY(%s) AND c.domain IS NULL"""  # noqa: S608
ADD = """
WITH added AS ({insert}), listed AS (
  INSERT INTO leads_companydomain (domain, company_id) SELECT domain, id FROM added WHERE domain IS NOT NULL
  ON CONFLICT DO NOTHING
)
SELECT id, domain, name_key FROM added
"""
HOLD = """SELECT id, name, domain, size, industry, country, relationship, custom::json FROM leads_company
WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"""
HELD_COLUMNS = ("id", "name", "domain", "size", "industry", "country", "relationship", "custom")
WRITE = """
UPDATE leads_company c SET name = r.name, name_key = r.name_key, size = r.size, industry = r.industry,
  country = r.country, relationship = r.relationship, custom = r.custom, updated_at = r.updated_at
FROM {rows} r WHERE c.id = r.id
"""


def name_key(name):
    """The name folded for comparison: no case, no punctuation, no legal form. Never empty for a non-empty name."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    words = "".join(c if c.isalnum() else "" if c in ".'’" else " " for c in folded).split()
    kept = list(words)
    while len(kept) > 1 and kept[-1] in LEGAL_FORMS:
        kept.pop()
    return (" ".join(kept) or folded.strip())[:255]


def key_of(values):
    """("domain", …) or ("name", …): how the company of these values is found; None where they name none.

    A stated domain goes before that of the e-mail address; free and throw-away mail says nothing.
    """
    for host in (values.get("company_domain", ""), (values.get("email") or "").partition("@")[2]):
        domain = business_domain(host) if host else ""
        if domain:
            return "domain", domain
    name = values.get("company", "")
    return ("name", name_key(name)) if name else None


def is_stated(values):
    """Whether the values name a company in so many words; an address at a business is no statement."""
    if values.get("chosen_company"):
        return True
    if values.get("company_domain") and business_domain(values["company_domain"]):
        return True
    key = key_of(values)
    return bool(key and key[0] == "name")


def new_row(key, values, *, now, is_demo):
    name = values.get("company", "")
    return {
        "name": name,
        "name_key": name_key(name) if name else "",
        "domain": key[1] if key[0] == "domain" else None,
        "relationship": "prospect",
        "size": values.get("company_size"),
        "industry": values.get("industry", ""),
        "country": values.get("country", ""),
        "custom": {name.removeprefix(CUSTOM): value for name, value in own_fields(values).items()},
        "is_demo": is_demo,
        "created_at": now,
        "updated_at": now,
    }


def add(wanted, *, now):
    """Create companies. `wanted`: {key: (values, origin, at, is_demo)}. `({key: row}, change rows)`, whoever won."""
    keys = sorted(wanted)
    rows = {}
    for key in keys:
        values, _, _, is_demo = wanted[key]
        rows[key] = new_row(key, values, now=now, is_demo=is_demo)
    sql, param = insert_sql(
        "leads_company",
        [rows[key] for key in keys],
        on_conflict="DO NOTHING",
        returning="id, domain, name_key",
    )
    found, changes = {}, []
    for number, domain, folded in fetch(ADD.format(insert=sql), [param]):
        key = ("domain", domain) if domain else ("name", folded)
        found[key] = {"id": number, **rows[key]}
        changes += first_changes(found[key], wanted[key], now=now)
    lost = [key for key in keys if key not in found]
    return found | (look_up(lost) if lost else {}), changes


def first_changes(row, wanted, *, now):
    _, origin, at, _ = wanted
    return survivorship.change_rows(
        [
            survivorship.Change(field, None, held(row, field), True, origin, at)
            for field in ("name", *FACTS, *(CUSTOM + key for key in row["custom"]))
            if not is_empty(held(row, field))
        ],
        now=now,
        company_id=row["id"],
    )


def look_up(keys):
    """`{key: row}` of those companies that exist."""
    arms = look_up_arms(keys)
    found = {}
    if arms:
        for kind, text, _, row in fetch(
            " UNION ALL ".join(sql for sql, _ in arms), [param for _, param in arms]
        ):
            found[kind, text] = row
    return found


def look_up_arms(keys):
    """Parts of a UNION ALL, as (sql, param), that find the companies of `keys`."""
    domains = sorted({text for kind, text in keys if kind == "domain"})
    names = sorted({text for kind, text in keys if kind == "name"})
    arms = [(BY_DOMAIN, domains)] if domains else []
    return arms + ([(BY_NAME, names)] if names else [])


def facts(values):
    """What a person's answers say about their company."""
    stated = {column: values[answer] for column, answer in FACTS.items() if not is_empty(values.get(answer))}
    if values.get("company"):
        stated["name"] = values["company"]
    stated.update(own_fields(values))
    return stated


def own_fields(values):
    """The custom fields of the company among a lead's values, by the name they have there."""
    return {name.removeprefix("company."): values[name] for name in values if name.startswith(OF_COMPANY)}


def differs(row, stated):
    """The stated facts that are news: a spelling of the same name is none."""
    return {
        column: value
        for column, value in stated.items()
        if held(row, column) != value
        and not (column == "name" and row["name"] and name_key(row["name"]) == name_key(value))
    }


def fill(stated, *, now):
    """Take in what people said about existing companies.

    `stated`: list of (company row, facts, origin, at, actor and provider). Empty columns are filled, others get a proposal.
    Returns (ids of companies that changed, change rows). Locks only companies with something to fill.
    """
    news = [(row["id"], said, *how) for row, facts, *how in stated if (said := differs(row, facts))]
    if not news:
        return set(), []
    rows = {row["id"]: row for row, *_ in stated}
    hold(rows, {number for number, said, *_ in news if any(is_empty(held(rows[number], c)) for c in said)})
    history = survivorship.histories(
        "company", {(number, c) for number, said, *_ in news for c in differs(rows[number], said)}
    )
    changed, changes = set(), []
    for number, said, origin, at, by in news:
        made = survivorship.weigh(
            rows[number], differs(rows[number], said), origin=origin, at=at, overwrite=False,
            history=history.setdefault(number, survivorship.History()),
        )  # fmt: skip
        changed |= {number for change in made if change.applied}
        changes += survivorship.change_rows(made, now=now, company_id=number, by=by)
    write([rows[number] for number in sorted(changed)], now=now)
    return changed, changes


def hold(rows, ids):
    """Lock these companies in id order and bring `rows` up to date with what is there now."""
    if ids:
        for values in fetch(HOLD, [sorted(ids)]):
            rows[values[0]].update(zip(HELD_COLUMNS, values, strict=True))


def write(rows, *, now):
    """Write back company rows that are held."""
    if rows:
        rows = [
            row | {"name_key": name_key(row["name"]) if row["name"] else "", "updated_at": now}
            for row in rows
        ]
        relation, param = typed("leads_company", rows)
        fetch(WRITE.format(rows=relation), [param], returns=False)
