"""Segments: a condition under a name, meaning whoever meets it now; and who asks for it."""

from typing import NamedTuple

from django.db.models.expressions import RawSQL

from leads.criteria import BadCondition, matching
from leads.criteria.tree import sentence
from leads.rows import fetch
from scoring.criteria import SCORED_CRITERIA
from scoring.models import Segment

# Where a condition may ask for a segment: (what it is, its model, its field). Apps above add theirs (distribution.admin).
ASKED_IN = (("segment", Segment, "condition"),)
USES = """
SELECT '{what}', id, name, '{page}' FROM {table}
WHERE jsonb_path_exists({field}, '$.** ? (@.is == "segment" && @.* == $slug)', jsonb_build_object('slug', %s::text))
"""


class Use(NamedTuple):
    what: str  # program, routing rule or segment
    id: int
    name: str
    page: str  # URL name of its page in the admin

    def __str__(self):
        return f"{self.what} “{self.name}”"


def uses(segment, *, asked_in=ASKED_IN):
    """Everything in `asked_in` that asks for this segment: while there is any, it is not deleted. One query."""
    parts = [
        USES.format(
            what=what, table=model._meta.db_table, field=field, page=f"admin:{model._meta.label_lower.replace('.', '_')}_change"
        )
        for what, model, field in asked_in
    ]  # fmt: skip
    return [Use(*row) for row in fetch(" UNION ALL ".join(parts), [segment.slug] * len(parts))]


def narrow(queryset, segment, *, at):
    """Those of `queryset` that are in the segment: for lists that filter and page further."""
    try:
        sql, bound = matching.matching_sql(segment.condition, criteria=SCORED_CRITERIA, at=at)
    except BadCondition:
        return queryset.none()
    return queryset.filter(pk__in=RawSQL(f"SELECT l.id {sql}", bound))  # noqa: S611 bound


def size(segment, *, at, timeout_ms=None):
    """`matching.Matches` of those in the segment; None where its condition cannot be read any more."""
    try:
        return matching.count(segment.condition or {}, criteria=SCORED_CRITERIA, at=at, timeout_ms=timeout_ms)
    except BadCondition:
        return None


def in_words(segment):
    """Its condition as a sentence without a full stop."""
    try:
        return sentence(segment.condition or {}, criteria=SCORED_CRITERIA)
    except BadCondition as bad:
        return f"cannot be read: {bad}"


def circle(slug, tree):
    """The slugs by which a segment `slug` with this condition would ask for itself; empty where it does not."""
    asked = {segment.slug: named(segment.condition) for segment in Segment.objects.exclude(slug=slug)}
    path, open_paths = [], [[each] for each in named(tree)]
    seen = set()
    while open_paths:
        path = open_paths.pop()
        if path[-1] == slug:
            return path
        if path[-1] not in seen:
            seen.add(path[-1])
            open_paths += [[*path, each] for each in asked.get(path[-1], ())]
    return []


def named(tree):
    """Slugs of the segments that a tree asks for."""
    if isinstance(tree, list):
        return {slug for member in tree for slug in named(member)}
    if not isinstance(tree, dict):
        return set()
    if tree.get("is") == "segment":
        return {value for key, value in tree.items() if key != "is" and isinstance(value, str)}
    return {slug for member in tree.values() for slug in named(member)}
