"""Small pieces of every page: icons, times, ratings, meters, navigation, toasts."""

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from distribution import words
from distribution.access import ROUTES, may_open
from distribution.lab import capacity
from leads.money import money
from scoring.words import figure, points

register = template.Library()

NAVIGATION = [  # route, label, icon; shown to those whose role opens the route
    ("my-leads", "My leads", "list"),
    ("team", "Team", "team"),
    ("marketing", "Marketing", "event"),
]
# Seconds before a promise turns amber; before its date says more than the time left.
SOON, DAY = 30 * 60, 86400
# What the ratings of the shipped scale are called beside their letter.
RATING_WORDS = {"A": "Hot", "B": "Warm", "C": "Cool", "D": "Cold"}
BEST, SECOND, BETWEEN, LAST = 1, 2, 3, 4  # the looks of a rating


@register.simple_tag
def icon(name):
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


@register.filter
def navigation(request):
    here = getattr(request.resolver_match, "view_name", "")
    items = [
        {"url": reverse(route), "label": label, "icon": name, "is_current": here == route}
        for route, label, name in NAVIGATION
        if may_open(request.user, ROUTES.get(route))
    ]
    if request.user.is_staff:
        items.append({"url": "/admin/", "label": "Settings", "icon": "settings", "is_current": False})
    return items


@register.inclusion_tag("marketing/_lab_link.html", takes_context=True)
def lab_link(context, version):
    """The way to try a version on all leads, for those whose role opens the lab."""
    return {"version": version, "is_open": may_open(context["user"], ROUTES["lab"])}


@register.simple_tag
def sales_can_take(deciding):
    """Sales-ready leads a week, under the model that decides now; None where nobody said."""
    return capacity(deciding, at=timezone.now()).per_week


@register.filter
def toasts(messages):
    """Messages with the signed undo that `views.say` packed into their tags."""
    for message in messages:
        _, _, undo = (message.extra_tags or "").partition("undo=")
        yield {"text": message.message, "undo": undo, "is_error": message.level_tag == "error"}


@register.simple_tag(takes_context=True)
def when(context, moment, style="relative"):
    """A moment as <time> with the exact time on hover: relative, the clock time ("clock"), or how long before `now`,
    where that is a past instant ("before")."""
    if moment is None:
        return ""
    now = context.get("now") or timezone.now()
    text = {"clock": words.clock, "before": words.before}.get(style, words.relative)(moment, now)
    return format_html(
        '<time datetime="{}" title="{}" data-wording="{}">{}</time>',
        moment.isoformat(),
        words.exact(moment),
        style,
        text,
    )


@register.simple_tag(takes_context=True)
def promise(context, due, is_overdue=False):
    """What is promised by when: "by 14:05, 12 min left", "2 days overdue", "Mon 30 Nov, 09:00"."""
    now = context.get("now") or timezone.now()
    seconds = (due - now).total_seconds()
    late = is_overdue or seconds < 0
    if not late and seconds > DAY:
        return format_html("{} {}", icon("calendar"), when(context, due, "clock"))
    return format_html(
        '<span class="promise {}">{} {}<time datetime="{}" title="{}" data-wording="left">{} {}</time></span>',
        "late" if late else "soon" if seconds < SOON else "", icon("warning" if late else "clock"),
        "" if late else f"by {words.clock(due, now)}, ",
        due.isoformat(), words.exact(due), words.span(seconds), "overdue" if late else "left",
    )  # fmt: skip


register.filter("money", money)


@register.filter
def phone_link(number):
    """The number as a tel: address wants it: plus and digits only."""
    return "".join(sign for sign in str(number) if sign in "+0123456789")


@register.simple_tag
def rating_chip(rating, labels=(), size="", model=""):
    """Shape, letter and word: never colour alone. `labels` are those of its scale, best first, and give the shape; a
    label of another scale than the shipped one is its own word. With the slug of the scoring `model`, a link to what
    counts as a quality lead by it."""
    if not rating:
        return format_html(
            '<span class="rating rank-none {}" title="No score yet">– <span class="word">Not scored</span></span>',
            size,
        )
    rank = rank_among(rating, labels)
    word = RATING_WORDS[rating] if list(labels) == list(RATING_WORDS) else ""
    chip = format_html(
        '<span class="rating rank-{} {}"><svg aria-hidden="true" focusable="false"><use href="{}#rank-{}"></use></svg>'
        '<span><span class="visually-hidden">Rating </span>{} <span class="word">{}</span></span></span>',
        rank, size, static("img/icons.svg"), rank, rating, word,
    )  # fmt: skip
    if not model:
        return chip
    address = reverse("quality-lead", args=[model])
    return format_html(
        '<a class="rating-link" href="{}" title="What counts as a quality lead">{}</a>', address, chip
    )


def rank_among(rating, labels):
    """The look of a rating: the best and the second of its scale, the last, or one between."""
    places = {label: place for place, label in enumerate(labels)}
    place = places.get(rating, -1)
    if place == 0:
        return BEST
    if place == len(places) - 1 and place > 0:
        return LAST
    return SECOND if place == 1 else BETWEEN


@register.simple_tag
def where_now(lead):
    """(where a lead is, why): what its reason says of the place is not said twice."""
    place, reason = lead.get_place_display(), lead.place_reason
    head, _, why = reason.partition(" (")
    return (head, why.removesuffix(")")) if head.startswith(f"{place}: ") else (place, reason)


@register.simple_tag
def meter(value, most=100):
    """A bar from 0 to `most`; the figure stands beside it, so the bar is decoration."""
    width = max(0, min(100, round(100 * float(value or 0) / most)))
    return format_html(
        '<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="track" width="100" height="6"/><rect class="fill" width="{}" height="6"/></svg>',
        width,
    )


register.filter("figure", figure)
# Signed, so that what costs points reads as plainly as what brings them.
register.simple_tag(points)


@register.simple_tag
def percent(factor):
    return f"{100 * factor:.0f} %"


@register.simple_tag
def waterfall_bar(bar):
    """One step of the waterfall; the figure stands beside it."""
    left, right = sorted((bar.start, bar.end))
    return format_html(
        '<svg class="waterfall" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="track" width="100" height="10"/><rect class="{}" x="{}" width="{}" height="10"/></svg>',
        "up" if bar.end >= bar.start else "down", f"{left:.2f}", f"{max(right - left, 1):.2f}",
    )  # fmt: skip
