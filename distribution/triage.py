"""How a rep's list is split: what to do now, what is new, what waits in queues, what comes later."""

from dataclasses import dataclass

from distribution import queries


@dataclass(frozen=True)
class Section:
    label: str
    icon: str
    empty: str  # nothing here: what that means …
    why_empty: str  # … and what happens next


SECTIONS = {
    "now": Section(
        "To do now", "allclear", "All clear",
        "Nothing is promised for now. New leads and follow-ups appear here by themselves when they are due.",
    ),
    "new": Section(
        "New", "hand", "No new leads",
        "A lead that is offered to you appears here at once, with the time by which you promised to respond.",
    ),
    "queues": Section(
        "Waiting in my queues", "people", "Nobody waits in your queues",
        "Leads wait here when no rep was free. Whoever accepts first has the lead.",
    ),
    "later": Section(
        "Follow-ups later", "calendar", "Nothing planned for later",
        "Follow-ups you plan for another day wait here and come back to “To do now” by themselves.",
    ),
    "all": Section(
        "All mine", "list", "You have no open leads",
        "Leads that are sales-ready are handed to you by turn while you are marked as present.",
    ),
}  # fmt: skip
FIRST = "now"
