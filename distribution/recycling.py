"""Back from sales: recycled with a reason and a date, or disqualified; and woken when it is time."""

# Reasons for recycling: key → (words on screen, days until it is worth asking again)
RECYCLE_REASONS = {
    "not_now": ("Not now: later project", 90),
    "no_budget": ("No budget this quarter", 90),
    "unresponsive": ("Unresponsive", 60),
    "too_early": ("Too early: still learning", 60),
    "other_contact": ("Not the right person", 120),
    "under_contract": ("Under contract with a competitor", 245),
}
# Reasons for disqualifying: key → words on screen
DISQUALIFY_REASONS = {
    "no_fit": "No fit",
    "competitor": "Competitor",
    "student": "Student or private person",
    "supplier": "Supplier or job seeker",
    "left_company": "Left the company",
    "duplicate": "Duplicate",
    "spam": "Spam",
    "invalid": "Invalid contact data",
}


def recycle(*, handoff, by, reason, until=None, at, note=""):
    """`reason` is a key of RECYCLE_REASONS; `until` an aware datetime (default: the reason's days).
    Returns the Handoff."""
    raise NotImplementedError


def wake_parked(*, at, limit=500):
    """Ask for a new score and a new decision for those whose date has come. Returns how many."""
    raise NotImplementedError
