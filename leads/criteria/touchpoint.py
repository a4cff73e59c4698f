"""What can happen: the kind of an activity and, where it has them, its asset, what was searched for, and its properties."""

import re

from leads.activities import normal_asset
from leads.criteria.base import DID, TOUCHPOINT, Criterion, either, quoted
from leads.criteria.parameters import Choice, Text, Texts
from leads.criteria.properties import PROPERTY, property_sql, property_words
from leads.kinds import KINDS, OPEN, SEARCHES, Kind

ANY_KIND = Kind("Any activity", "did something on {asset}", "did anything")
LABELS = {kind: words.label for kind, words in KINDS.items()}

KIND = Text(
    "kind",
    "Activity",
    default="",
    max_length=40,
    suggestions={"": ANY_KIND.label, **LABELS, OPEN: f"{LABELS[OPEN]} (only scoring rules count it)"},
    suggests="activity.kind",
)
MATCH = Choice(
    "match",
    "Its page or asset",
    default="begins",
    choices={"begins": "begins with", "exactly": "is exactly", "contains": "contains"},
)
ASSET = Text(
    "asset",
    "Page or asset",
    default="",
    max_length=300,
    help="e.g. /pricing; empty = any",
    suggests="activity.asset",
)
TOUCHPOINT_PARAMETERS = (KIND, MATCH, ASSET, *PROPERTY)
# Assets are stored in lower case (`leads.activities`).
MATCH_SQL = {
    "begins": "starts_with({t}.asset, %s)",
    "exactly": "{t}.asset = %s",
    "contains": "position(%s in {t}.asset) > 0",
}


def touchpoint_sql(alias, params):
    """Boolean SQL over leads_touchpoint; "true" where nothing is asked for."""
    parts, bound = [], []
    if params["kind"]:
        parts.append(f"{alias}.kind = %s")
        bound.append(params["kind"])
    if params["asset"]:
        parts.append(MATCH_SQL[params["match"]].format(t=alias))
        exact = params["match"] == "exactly"
        bound.append(normal_asset(params["asset"]) if exact else params["asset"].casefold())
    if params["property"]:
        part, values = property_sql(alias, params)
        parts.append(part)
        bound += values
    return (f"({' AND '.join(parts)})" if parts else "true"), bound


def touchpoint_words(params, content=""):
    """What the lead did: "viewed pages under /pricing". `content` says what it was about."""
    kind = params["kind"]
    own = (kind, f"did {quoted(kind)} on {{asset}}", f"did {quoted(kind)}")
    _, with_asset, without = KINDS.get(kind, own) if kind else ANY_KIND
    asset = asset_words(params)
    if asset and content:
        asset = f"{asset} ({content})"
    if content and not asset:
        asset, with_asset = content, with_asset if kind else "consumed {asset}"
    # Not str.format: kind and asset are the marketer's own words and may hold braces.
    return (with_asset.replace("{asset}", asset) if asset else without) + property_words(params)


def asset_words(params):
    kind, asset = params["kind"], params["asset"]
    if not asset:
        return ""
    on_pages = kind not in KINDS or kind == "page_view"
    if params["match"] == "contains":
        return f"{'pages' if on_pages else 'anything'} with {quoted(asset)} in the name"
    if params["match"] == "exactly":
        return f"exactly {asset}"
    return f"pages under {asset}" if on_pages else asset


class TouchpointIs(Criterion):
    """One activity by its kind, its asset and a property; without any of them, any engagement."""

    key = "touchpoint"
    label = "Activity"
    group = DID
    scope = TOUCHPOINT
    in_rules = True
    parameters = TOUCHPOINT_PARAMETERS

    def sql(self, params, at):
        return touchpoint_sql("t", params)

    def sentence(self, params):
        return touchpoint_words(params)


# As a text of PostgreSQL, where '' is one quote.
BETWEEN_WORDS = """[][[:space:].,;:!?"''()/+_-]+"""
KEYWORD_MATCHES = {"exact": "is exactly", "all_words": "has all words of", "any_word": "has any word of"}


class Keyword(Criterion):
    """What somebody searched for, on the site or on the way to it. Words are told apart by spaces and punctuation."""

    key = "keyword"
    label = "Keyword searched for"
    group = DID
    scope = TOUCHPOINT
    in_rules = True
    parameters = (
        Choice(
            "searched",
            "Searched",
            default="anywhere",
            choices={
                "anywhere": "On the site or a search engine",
                "search": "On the site",
                "search_visit": "On a search engine",
            },
        ),
        Choice("match", "What was searched for", default="all_words", choices=KEYWORD_MATCHES),
        Texts("one_of", "One of these keywords", max_length=200, max_items=50, suggests="keyword.one_of"),
    )

    def sql(self, params, at):
        kinds = SEARCHES if params["searched"] == "anywhere" else (params["searched"],)
        parts, bound = [], list(kinds)
        for keyword in params["one_of"]:
            part, values = keyword_sql(keyword, params["match"])
            parts.append(part)
            bound += values
        return f"(t.kind IN ({', '.join(['%s'] * len(kinds))}) AND ({' OR '.join(parts)}))", bound

    def sentence(self, params):
        how = {"exact": "exactly ", "all_words": "", "any_word": "any word of "}[params["match"]]
        where = {"anywhere": "", "search": " on the site", "search_visit": " with a search engine"}
        keywords = either([quoted(keyword) for keyword in params["one_of"]])
        return f"searched{where[params['searched']]} for {how}{keywords}"


def keyword_sql(keyword, match):
    """Whether the words of `t.asset` are exactly those of `keyword`, hold all of them, or any."""
    words = words_of(keyword)
    asked = f"ARRAY[{', '.join(['%s'] * len(words))}]::text[]"
    found = f"array_remove(regexp_split_to_array(t.asset, '{BETWEEN_WORDS}'), '')"
    return f"{found} {({'exact': '=', 'all_words': '@>', 'any_word': '&&'})[match]} {asked}", words


def words_of(keyword):
    """The words as they stand in the log. What is nothing but punctuation is one word that nobody types."""
    words = [word for word in re.split(r"[\]\[\s.,;:!?\"'()/+_-]+", keyword.casefold()) if word]
    return words or [keyword.casefold()]
