"""The scoring engine: a score is a pure function of (log, field values, model version, instant).

rulebook     a version's rules compiled once: conditions to SQL, arithmetic parameters to arrays
facts        SQL only: what holds for a lead at an instant, what happened when (replay: as it was known in the past)
touchpoints  SQL only: which rules a touchpoint matches
arithmetic   numpy only: from facts and an instant to points, rating, verdict and the next change; its parts are
             activity (matches, fading), totals (groups, profiles, caps), ahead and halflife (when it moves next)
judge        all of it in one call

The same serve one lead, a batch and everybody. Time is counted here in whole microseconds since
2000-01-01 UTC, as PostgreSQL keeps it; points in whole hundredths.
"""
