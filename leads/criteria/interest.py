"""What somebody wants, how soon, and how far they are with buying: as they said, or as what they looked at tells."""

from leads.content import FRESH_DAYS, TIMELINE_DAYS
from leads.criteria.base import (
    MAX_DAYS,
    WANTS,
    Criterion,
    counted,
    days_after,
    either,
    quoted,
    so_often,
    span,
)
from leads.criteria.doings import days, did_often_sql, did_sql, when_sql
from leads.criteria.history import ANYTHING
from leads.criteria.parameters import Named, Several, WholeNumber
from leads.criteria.reading import products
from leads.models import BuyingStage

UNKNOWN = "unknown"
WITHIN = "(l.timeline_until IS NOT NULL AND l.timeline_until > %s AND l.timeline_until <= %s)"
STATED = (
    "(l.product_interest <> '' AND (lower(l.product_interest) = lower(%s) OR EXISTS (SELECT 1 FROM leads_product p"
    " WHERE p.slug = %s AND lower(p.name) = lower(l.product_interest))))"
)


class TimelineWithin(Criterion):
    """The stated buying timeline ends within the next days. A window that has passed is unknown."""

    key = "timeline_within"
    label = "Wants to buy within"
    group = WANTS
    in_rules = True
    parameters = (days(),)

    def sql(self, params, at):
        return WITHIN, [at, days_after(at, params["days"])]

    def changes_sql(self, params, at):
        begins = "l.timeline_until - make_interval(hours => %s)"
        return (
            f"CASE WHEN {begins} > %s THEN {begins} WHEN l.timeline_until > %s THEN l.timeline_until END"
        ), [params["days"] * 24, at, params["days"] * 24, at]

    def fields_asked(self, params):
        return [("lead_field", "timeline")]

    def sentence(self, params):
        return f"wants to buy within {counted(params['days'], 'day')}"


class ProductStated(Criterion):
    """Somebody named the product, by its slug or its name."""

    key = "product_stated"
    label = "Asked for one of our products"
    group = WANTS
    hint = "Named by its slug or its name"
    in_rules = True
    parameters = (Named("product", "Product", what="product", rows=products),)

    def sql(self, params, at):
        return STATED, [params["product"], params["product"]]

    def fields_asked(self, params):
        return [("lead_field", "product_interest")]

    def sentence(self, params):
        return f"asked for {quoted(self.parameters[0].name_of(params['product']))}"


class ProductInterest(Criterion):
    """Content about the product was consumed so often, or the product was asked for."""

    key = "product_interest"
    label = "Interested in a product"
    group = WANTS
    hint = "Asked for it, or consumed content about it"
    uses_content = True
    parameters = (
        Named("product", "Product", what="product", rows=products),
        WholeNumber("times", "Consumed its content at least … times", default=2, minimum=1, maximum=10_000),
        WholeNumber("days", "In the last days", default=90, minimum=1, maximum=MAX_DAYS),
    )

    def sql(self, params, at):
        consumed, bound = did_often_sql(
            ANYTHING | {"product": params["product"]},
            when_sql({"when": "within", "days": params["days"]}, at),
            at,
            "at_least",
            params["times"],
        )
        return f"({STATED} OR {consumed})", [params["product"], params["product"], *bound]

    def sentence(self, params):
        product = quoted(self.parameters[0].name_of(params["product"]))
        return (
            f"is interested in {product} (asked for it, or consumed its content at least {so_often(params['times'])}"
            f" in the {span('last', params['days'])})"
        )


class BuyingStageIs(Criterion):
    """The stage a person set, else the furthest one that recent content or a stated timeline tells."""

    key = "buying_stage"
    label = "Buying stage"
    group = WANTS
    has_subject = True
    uses_content = True
    parameters = (
        Several("one_of", "One of", choices=lambda: dict(BuyingStage.choices) | {UNKNOWN: "Unknown"}),
    )

    def sql(self, params, at):
        sql, bound = buying_stage_sql(at)
        stages = ", ".join(["%s"] * len(params["one_of"]))
        return f"({sql} IN ({stages}))", [*bound, *params["one_of"]]

    def sentence(self, params):
        labels = self.parameters[0].choices()
        return f"buying stage is {either([labels.get(one, one).lower() for one in params['one_of']])}"


def buying_stage_sql(at):
    """(SQL over `l`, bound): awareness, consideration, decision or unknown; never NULL."""
    cases, bound = [], []
    for stage, n in FRESH_DAYS.items():
        window = when_sql({"when": "within", "days": n}, at)
        consumed, more = did_sql(ANYTHING | {"buying_stage": stage.value}, window, at)
        if stage == BuyingStage.DECISION:
            consumed = f"{WITHIN} OR {consumed}"
            bound += [at, days_after(at, TIMELINE_DAYS)]
        cases.append(f"WHEN {consumed} THEN '{stage.value}'")
        bound += more
    own = "WHEN l.buying_stage <> '' THEN l.buying_stage"
    return f"(CASE {own} {' '.join(cases)} ELSE '{UNKNOWN}' END)", bound
