"""What we do not know and would like to: fields that the rules ask, the leads that lack them, and who never asks.

A gap is worth the points of the best rule that asks the field; gaps are ordered by points × leads.
"""

from dataclasses import dataclass

from leads.criteria import CRITERIA, LEAD
from leads.criteria.reading import reading
from leads.criteria.tree import leaves, where
from leads.models import CaptureForm, Source
from leads.rows import fetch
from scoring.engine.rulebook import is_readable
from scoring.models import Rule

FIELD_CRITERIA = ("lead_field", "company_field", "custom_field")
# What a form asks to fill a field of the company; fields of the lead have the same name there.
QUESTIONS = {"size": "company_size", "name": "company", "domain": "company_domain"}
NEVER = 0.05  # a source that knows less than this of a field does not ask it …
ENOUGH = 20  # … if it has brought so many leads

KNOWN = """
SELECT l.source_id, count(*){counts} FROM leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id
WHERE NOT l.is_test GROUP BY l.source_id
"""


@dataclass
class Gap:
    """`key` names the field in addresses: "lead_field.role"."""

    key: str
    label: str
    worth: float  # points of the best rule that asks it
    rules: list  # names of the rules that ask it
    lack: int
    total: int
    forms: list  # CaptureForms in use that do not ask it
    sources: list  # (Source, its leads) that do not ask it

    @property
    def weight(self):
        return self.worth * self.lack

    @property
    def share(self):
        return self.lack / self.total if self.total else 0.0


@reading()
def gaps(version, *, at):
    """Gaps of the version's fit rules, the weightiest first; a field that every lead has is none. Four queries, and each
    small table that conditions name rows of."""
    asked = asked_by(version)
    if not asked:
        return []
    counts = lacking_by_source(list(asked), at)
    forms = list(CaptureForm.objects.filter(is_active=True).prefetch_related("questions").order_by("name"))
    sources = Source.objects.in_bulk([source for source in counts if source])
    found = []
    for place, ((criterion, name), rules) in enumerate(asked.items()):
        lack = sum(row[place + 1] for row in counts.values())
        silent = [
            (sources[source], row[0])
            for source, row in counts.items()
            if source in sources and row[0] >= ENOUGH and row[0] - row[place + 1] < NEVER * row[0]
        ]
        found.append(
            Gap(
                key=f"{criterion}.{name}",
                label=label_of(criterion, name),
                worth=max(rule.points for rule in rules),
                rules=[rule.name for rule in rules],
                lack=lack,
                total=sum(row[0] for row in counts.values()),
                forms=[form for form in forms if not asks(form, criterion, name)],
                sources=sorted(silent, key=lambda pair: -pair[1]),
            )
        )
    return sorted((gap for gap in found if gap.lack), key=lambda gap: (-gap.weight, gap.label))


def asked_by(version):
    """{(criterion, field): [rules that ask it]} of the fit rules that give points."""
    asked = {}
    for rule in filter(is_readable, version.rules.filter(kind=Rule.Kind.FIT, points__gt=0)):
        for field in dict.fromkeys(fields_of(rule.condition or {})):
            asked.setdefault(field, []).append(rule)
    return asked


def fields_of(tree):
    for key, params in leaves(tree, criteria=CRITERIA, scope=LEAD):
        yield from CRITERIA[key].fields_asked(params)


def lacking_by_source(fields, at):
    """{source id: [leads, leads that lack each of `fields`]}. One statement over all leads."""
    parts, bound = [], []
    for criterion, name in fields:
        sql, params = where(unknown(criterion, name), criteria=CRITERIA, at=at, scope=LEAD)
        parts.append(f", count(*) FILTER (WHERE {sql})")
        bound += params
    return {row[0]: row[1:] for row in fetch(KNOWN.format(counts="".join(parts)), bound)}


def unknown(criterion, name):
    """The condition that a lead lacks the field."""
    return {"is": criterion, "field": name, "op": "unknown"}


def condition_of(key):
    """The same for the `key` of a Gap. Raises BadCondition for anything else."""
    criterion, _, name = key.partition(".")
    return unknown(criterion if criterion in FIELD_CRITERIA else "", name)


def label_of(criterion, name):
    return CRITERIA[criterion].field({"field": name}).label


def asks(form, criterion, name):
    """Whether a form has a question that fills the field."""
    wanted = QUESTIONS.get(name, name) if criterion == "company_field" else name
    return any(question.field == wanted for question in form.questions.all())
