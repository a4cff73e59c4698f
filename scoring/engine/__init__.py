"""The scoring engine: a score is a pure function of (log, field values, model version, instant).

rulebook    a version's rules compiled once: conditions to SQL, arithmetic parameters to arrays
facts       SQL only: which rules hold for a lead, which rules a touchpoint matches, what happened when
arithmetic  numpy only: from facts and an instant to points, rating, verdict and the next change

The same three serve one lead, a batch and everybody. Time is counted here in whole microseconds since
2000-01-01 UTC, as PostgreSQL keeps it; points in whole hundredths.
"""
