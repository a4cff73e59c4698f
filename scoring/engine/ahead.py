"""When engagement next moves by time alone: never late, and early only where a half-life makes it.

Steps, windows, inactivity and age move at known instants (`_first_fall`). What a cap on a group or on the total hides
is found by playing all coming instants of that lead through the caps (`_behind_caps`). Half-lives move all the time:
there it is when they may have moved by the tolerance, or to where a rating or verdict turns (halflife.py).
"""

import numpy as np

from scoring.engine import halflife
from scoring.engine.activity import points_of, within_caps
from scoring.engine.units import NEVER, filled


def first_move(book, log, tallies, timed, turns, fit, engagement, at, tolerance):
    """For each lead the first instant after `at` at which a part of its engagement moves visibly, or NEVER.

    `turns`: [leads, timed rules], when each begins to give its points.
    """
    n = len(timed)
    first = filled(n, NEVER)
    edge = _first_fall(book, log, tallies)
    np.minimum.at(first, tallies.lead, edge)
    first = np.minimum(first, turns.min(axis=1, initial=NEVER))
    hidden = _is_capped(book, engagement) & (first < NEVER)
    if tallies.exact is not None:
        drift = halflife.first_drift(book, log, tallies, fit.total, engagement.total, at, tolerance)
        first = np.minimum(first, drift)
        # What a cap hides now, a half-life may uncover meanwhile: there every instant counts.
        hidden[tallies.lead[halflife.moving(book, tallies)]] = False
    if hidden.any():
        first[hidden] = _behind_caps(book, log, tallies, timed, turns, engagement, hidden)
    return first


def _is_capped(book, engagement):
    """Whether a cap on a group or the total is reached, so that what moves may not be seen."""
    capped = engagement.before >= book.cap_engagement
    if book.engagement_slots is not None:
        capped |= (abs(engagement.sums) >= book.engagement_slots.cap).any(axis=1)
    return capped


def _first_fall(book, log, tallies):
    """For each tally the first instant at which its points change, or NEVER.

    The matches that count are the most recent ones, and stay so while nothing happens: the count at bound k falls
    first when the oldest of them reaches it. Where a cap hides that fall, or the step is too small to survive
    rounding, the following ones are tried in turn.
    """
    falls = (tallies.counted > 0) & book.moves.take(tallies.rule, axis=1)
    bound, falling = np.divmod(falls.ravel().nonzero()[0], max(1, len(tallies.rule)))
    oldest = log.time[tallies.matches[tallies.ends[falling] - _reach(book, tallies)[bound, falling]]]
    edges = filled(tallies.counted.shape, NEVER)
    edges[bound, falling] = oldest + book.bounds[bound, tallies.rule[falling]]
    edge = edges.min(axis=0)
    hidden = (edge < NEVER) & ((tallies.cents != tallies.capped) | ~book.is_coarse[tallies.rule])
    if hidden.any():
        chosen = hidden.nonzero()[0]
        tally, time, after = _coming(book, log, tallies, chosen)
        seen = after != tallies.capped[tally]
        edge[chosen] = NEVER
        np.minimum.at(edge, tally[seen], time[seen])
    return edge


def _reach(book, tallies):
    """[K, tallies]: how many of the most recent matches back the one is whose ageing lowers the count at a bound first."""
    if not book.has_min_count:
        return tallies.counted
    least = book.min_count[tallies.rule]
    return np.where(least > 0, least, tallies.counted)


def _coming(book, log, tallies, chosen):
    """(tally, instant, rounded and capped points from then on) of every coming fall of the `chosen` tallies,
    by tally and time. Falls at one instant are one: only the state after the last of them is ever seen."""
    time, bound, place = [], [], []
    reach = _reach(book, tallies)
    for k, counted in enumerate(tallies.counted.take(chosen, axis=1)):
        rule = tallies.rule[chosen]
        counts = np.where(book.moves[k, rule], counted, 0)
        order = (counts.cumsum() - counts).repeat(counts)
        oldest = tallies.ends[chosen] - reach[k, chosen]
        places = oldest.repeat(counts) + np.arange(counts.sum()) - order
        time.append(log.time[tallies.matches[places]] + book.bounds[k, rule].repeat(counts))
        bound.append(filled(counts.sum(), k))
        place.append(np.arange(len(chosen)).repeat(counts))
    time, bound, place = np.concatenate(time), np.concatenate(bound), np.concatenate(place)
    order = _in_order(place, time)
    time, bound, place = time[order], bound[order], place[order]
    left = tallies.counted.take(chosen[place], axis=1)
    for k in range(len(left)):
        left[k] -= _running(bound == k, place)
    rule = tallies.rule[chosen][place]
    cap = book.cap_cents[rule]
    after = within_caps(points_of(book, rule, left), cap)
    last = _last(place, time)
    return chosen[place[last]], time[last], after[last]


def _in_order(key, time):
    """By key and time, equal ones as they stand. Where both fit into one number this is many times as quick."""
    if not len(key):
        return key
    first, last = int(time.min()), int(time.max())
    if (int(key.max()) + 1) * (last - first + 1) < NEVER:
        return (key * (last - first + 1) + (time - first)).argsort(kind="stable")
    return np.lexsort((time, key))


def _running(values, key):
    """The sum of `values` so far, begun anew at each `key` (ordered)."""
    total = np.cumsum(values)
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    return total - np.repeat(total[starts] - values[starts], np.diff(starts, append=len(key)))


def _last(key, time):
    """Whether an entry is the last of its key and instant; ordered by both."""
    return np.append((np.diff(key) != 0) | (np.diff(time) != 0), np.ones(min(len(key), 1), bool))


def _behind_caps(book, log, tallies, timed, turns, engagement, hidden):
    """For each `hidden` lead the first instant at which anything is seen to move through the caps of groups and total."""
    chosen = hidden[tallies.lead].nonzero()[0]
    leads = hidden.nonzero()[0]
    tally, time, after = _coming(book, log, tallies, chosen)
    before = np.where(np.diff(tally, prepend=-1) != 0, tallies.capped[tally], np.append(0, after)[:-1])
    lead, rule = tallies.lead[tally], tallies.rule[tally]
    who, which = np.nonzero(turns[leads] < NEVER)
    lead = np.append(lead, leads[who])
    rule = np.append(rule, book.n_activity + which)
    time = np.append(time, turns[leads[who], which])
    delta = np.append(after - before, book.timed_cents[which])
    if book.engagement_slots is not None:
        lead, time, delta = _through_groups(book.engagement_slots, engagement, lead, rule, time, delta)
    order = _in_order(lead, time)
    lead, time, delta = lead[order], time[order], delta[order]
    if book.cap_engagement < NEVER:
        total = np.minimum(engagement.before[lead] + _running(delta, lead), book.cap_engagement)
        capped = engagement.before[lead] >= book.cap_engagement
        moved = np.where(capped, _last(lead, time) & (total != engagement.total[lead]), delta != 0)
    else:
        moved = delta != 0
    first = filled(len(hidden), NEVER)
    np.minimum.at(first, lead[moved], time[moved])
    return first[leads]


def _through_groups(slots, engagement, lead, rule, time, delta):
    """The same moves as what they do to the capped sums of their groups."""
    slot = slots.of[rule]
    key = lead * len(slots.cap) + slot
    order = _in_order(key, time)
    key, time, delta, lead, slot = key[order], time[order], delta[order], lead[order], slot[order]
    sums = engagement.sums[lead, slot] + _running(delta, key)
    last = _last(key, time)
    key, time, lead, slot, sums = key[last], time[last], lead[last], slot[last], sums[last]
    capped = np.clip(sums, -slots.cap[slot], slots.cap[slot])
    before = np.where(np.diff(key, prepend=-1) != 0, engagement.capped[lead, slot], np.append(0, capped)[:-1])
    return lead, time, capped - before
