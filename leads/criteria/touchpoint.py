"""What can happen: the kind of an activity and, where it has one, its asset."""

from leads.criteria.base import TOUCHPOINT, Criterion, Text, quoted

# Kinds the product itself records as engagement, in the words of a sentence: what the lead did,
# with the asset, and without. Any other kind (a tracker's own event) is quoted as it is.
KINDS = {
    "form_submit": ("Form submission", "submitted {asset}", "submitted a form"),
    "lead_posted": ("Lead sent in by a server", "was sent in as {asset}", "was sent in by a server"),
    "hand_raise": ("Hand-raise", "asked for sales through {asset}", "asked for sales"),
    "page_view": ("Page view", "viewed pages under {asset}", "viewed a page"),
    "search": ("Search on the site", "searched for {asset}", "searched on the site"),
    "download": ("Download", "downloaded {asset}", "downloaded something"),
    "webinar": ("Webinar", "attended {asset}", "attended a webinar"),
    "event": ("Event", "came to {asset}", "came to an event"),
    "mail_click": ("Click in a mail", "clicked through to {asset}", "clicked in a mail"),
}
KIND_LABELS = {kind: words[0] for kind, words in KINDS.items()}

KIND = Text("kind", "Activity", max_length=40, suggestions=KIND_LABELS)
ASSET = Text(
    "asset",
    "Page or asset begins with",
    default="",
    max_length=300,
    help="e.g. /pricing; empty = any",
)


def touchpoint_sql(alias, params):
    """Boolean SQL over leads_touchpoint. Assets are stored in lower case (`leads.activities`)."""
    sql, bound = f"{alias}.kind = %s", [params["kind"]]
    if params["asset"]:
        sql += f" AND starts_with({alias}.asset, lower(%s))"
        bound.append(params["asset"])
    return f"({sql})", bound


def touchpoint_words(params):
    """What the lead did: "viewed pages under /pricing"."""
    kind, asset = params["kind"], params["asset"]
    unknown = (kind, f"did {quoted(kind)} under {{asset}}", f"did {quoted(kind)}")
    _, with_asset, without = KINDS.get(kind, unknown)
    # Not str.format: kind and asset are the marketer's own words and may hold braces.
    return with_asset.replace("{asset}", asset) if asset else without


class TouchpointIs(Criterion):
    key = "touchpoint"
    label = "Activity"
    scope = TOUCHPOINT
    in_rules = True
    parameters = (KIND, ASSET)

    def sql(self, params, at):
        return touchpoint_sql("t", params)

    def sentence(self, params):
        return touchpoint_words(params)
