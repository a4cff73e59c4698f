"""What was looked at: the buying stage, products and tags of an asset, as they stood at an instant.

An asset tells of its own path and, where it covers what lies below, of every path that begins with it: whatever any of
these says holds for the activity.
"""

from leads.criteria.base import DID, TOUCHPOINT, Criterion, quoted
from leads.criteria.parameters import BadValue, Choice, Named, Text
from leads.criteria.reading import products
from leads.models import BuyingStage

STAGE = Choice("buying_stage", "Content for the stage", default="", choices=dict(BuyingStage.choices))
PRODUCT = Named("product", "Content about the product", default="", what="product", rows=products)
TAG = Text("tag", "Content tagged", default="", max_length=60, suggests="content.tag")
CONTENT = (STAGE, PRODUCT, TAG)

ABOUT = (
    "SELECT x.path::text FROM leads_asset x JOIN leads_assetstate s ON s.asset_id = x.id"
    " WHERE s.since <= %s AND (s.until IS NULL OR s.until > %s) AND {}"
)


def asks_content(params):
    return any(params[parameter.name] for parameter in CONTENT)


def content_sql(alias, params, at):
    """Boolean SQL over leads_touchpoint; "true" where nothing is asked of the content.

    The paths that qualify are looked up once per statement; of those that cover what lies below there are few.
    """
    parts, bound = [], [at, at]
    for sql, value in (
        ("s.buying_stage = %s", params["buying_stage"]),
        ("%s = ANY(s.products)", params["product"]),
        ("EXISTS (SELECT 1 FROM unnest(s.tags) AS tag WHERE lower(tag) = lower(%s))", params["tag"]),
    ):
        if value:
            parts.append(sql)
            bound.append(value)
    if not parts:
        return "true", []
    about = ABOUT.format(" AND ".join(parts))
    return (
        f"({alias}.asset IN ({about}) OR {alias}.asset ^@ ANY(ARRAY({about} AND x.covers_below)))"
    ), bound * 2


def content_words(params):
    """As in: decision-stage content about “CRM” tagged “roi”. Empty where nothing is asked."""
    if not asks_content(params):
        return ""
    words = f"{params['buying_stage']}-stage content" if params["buying_stage"] else "content"
    if params["product"]:
        words += f" about {quoted(PRODUCT.name_of(params['product']))}"
    if params["tag"]:
        words += f" tagged {quoted(params['tag'])}"
    return words


class ContentIs(Criterion):
    key = "content"
    label = "Content consumed"
    group = DID
    scope = TOUCHPOINT
    in_rules = True
    uses_content = True
    parameters = CONTENT

    def clean(self, given):
        params = super().clean(given)
        if not asks_content(params):
            raise BadValue("is missing; say the stage, the product or the tag", name="buying_stage")
        return params

    def sql(self, params, at):
        return content_sql("t", params, at)

    def sentence(self, params):
        return f"consumed {content_words(params)}"
