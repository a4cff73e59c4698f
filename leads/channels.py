"""Sources and campaigns by the words people use for them. Their ids never change, so each process remembers them."""

import time

from django.db import transaction
from django.utils.text import slugify

from leads.rows import fetch, insert

UNKNOWN_FOR = 10  # seconds for which a source that does not exist is not looked for again

sources = {}  # slug: ((id, origin) or None, remembered at)
campaigns = {}  # slug: id
LIMIT = 10_000


def slug_of(words, limit):
    return slugify(words, allow_unicode=True)[:limit].strip("-_")


def find_sources(slugs):
    """`{slug: (id, origin)}` of those that exist. Nobody outside can make a new source."""
    now = time.monotonic()
    found = {
        s: sources[s][0]
        for s in slugs
        if s in sources and (sources[s][0] or now - sources[s][1] < UNKNOWN_FOR)
    }
    missing = [slug for slug in slugs if slug not in found]
    if missing:
        rows = fetch("SELECT slug, id, origin FROM leads_source WHERE slug = ANY(%s)", [missing])
        new = dict.fromkeys(missing) | {slug: (number, origin) for slug, number, origin in rows}
        found |= new
        transaction.on_commit(lambda: remember(sources, {slug: (value, now) for slug, value in new.items()}))
    return {slug: value for slug, value in found.items() if value}


def find_campaigns(names, *, is_demo=False):
    """`{slug: id}` for campaign names by slug, `{slug: name}`, creating those that are new."""
    found = {slug: campaigns[slug] for slug in names if slug in campaigns}
    missing = sorted(names.keys() - found.keys())
    if missing:
        new = look_up(missing)
        unknown = [
            {"name": names[slug][:150], "slug": slug, "is_demo": is_demo}
            for slug in missing
            if slug not in new
        ]
        if unknown:
            insert("leads_campaign", unknown, on_conflict="DO NOTHING")
            new = look_up(missing)
        found |= new
        transaction.on_commit(lambda: remember(campaigns, new))
    return found


def look_up(slugs):
    return dict(fetch("SELECT slug, id FROM leads_campaign WHERE slug = ANY(%s)", [slugs]))


def remember(memory, found):
    if len(memory) > LIMIT:
        memory.clear()
    memory.update(found)


def forget(**kwargs):
    sources.clear()
    campaigns.clear()
