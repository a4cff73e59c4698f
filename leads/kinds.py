"""What can happen, and what each kind of activity is called: on the choices of a condition, and in every sentence."""

from typing import NamedTuple

OPEN = "mail_open"  # never engagement: mostly machines; a scoring rule that names it counts it all the same
SEARCHES = ("search", "search_visit")  # on the site, and with a search engine that led here


class Kind(NamedTuple):
    label: str  # as a choice
    did: str  # in a sentence about somebody, with what it was about
    did_any: str  # and without


# Kinds that the product itself records. Any other (a tracker's own event) is called as it calls itself.
KINDS = {
    "form_submit": Kind("Form submission", "filled in {asset}", "filled in a form"),
    "lead_posted": Kind("Lead sent in by a server", "was sent in as {asset}", "was sent in by a server"),
    "hand_raise": Kind("Hand-raise", "asked for sales through {asset}", "asked for sales"),
    "page_view": Kind("Page view", "viewed {asset}", "viewed a page"),
    "search": Kind("Search on the site", "searched for {asset}", "searched on the site"),
    "search_visit": Kind(
        "Visit from a search engine", "came from a search for {asset}", "came from a search engine"
    ),
    "download": Kind("Download", "downloaded {asset}", "downloaded something"),
    "webinar": Kind("Webinar", "attended {asset}", "attended a webinar"),
    "event": Kind("Event", "came to {asset}", "came to an event"),
    "mail_click": Kind("Click in a mail", "clicked {asset} in our mail", "clicked in our mail"),
    OPEN: Kind("Open of a mail", "opened {asset}", "opened a mail"),
}


def label(kind):
    return KINDS[kind].label if kind in KINDS else kind


def did(kind, what=""):
    """What somebody did: viewed “Pricing”; asked for sales. `what`: as `named` gives it, or "" where there is nothing to name."""
    known = KINDS.get(kind)
    if known is None:
        return f"{kind.replace('_', ' ')} {what}".strip()
    # Not str.format: names come from outside and may hold braces.
    return known.did.replace("{asset}", what) if what else known.did_any


def named(kind, asset, title=""):
    """What an activity was about: its title, or what was searched for, in quotes; else its path or slug in words."""
    if title or (asset and kind in SEARCHES):
        return f"“{title or asset}”"
    return readable(asset)


def readable(asset):
    """A path stays a path, a slug loses its dashes."""
    return asset if "/" in asset else asset.replace("-", " ").replace("_", " ")
