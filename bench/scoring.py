"""The scoring engine against the physical limit, and against the loop one would write first.

`python -m bench scoring [--leads 1000000]`. The limit is a hash aggregate of all activities by lead and a heap-only
update of every score row: nobody who reads the log and writes the scores does it with less. CPU is that of the
backend and of this process; other work on the machine stretches wall time, and ratios by some 20 %.
"""

import argparse
import math
import os
import random
import statistics
import time
from datetime import timedelta
from itertools import product
from pathlib import Path

from bench import stack
from bench.crowd import crowd
from bench.figures import figure, percentile
from bench.grown_model import loop, rules

TICK = 1 / os.sysconf("SC_CLK_TCK")
SMALL = 100_000  # leads
SAMPLE = 200  # leads that the loop scores
ONES = 300  # re-scores of a single lead
FLAGS = argparse.ArgumentParser(prog="python -m bench scoring")
FLAGS.add_argument("--leads", type=int, default=SMALL)


def main():
    leads = FLAGS.parse_args().leads
    with stack.servers():
        stack.setup_django()
        at = now()
        add_leads(0, min(leads, SMALL), at)
        publication(at)  # the first raises the stage of most leads, which is not scoring
        if leads > SMALL:
            small = publication(at).cpu
            add_leads(SMALL, leads, at)
            publication(at)
        full = against_the_limit(leads, at)
        if leads > SMALL:
            growth("scoring_growth_in_leads", {SMALL: small, leads: full}, goal=1.0)
        against_the_loop(leads, at, full)
        one_lead(leads, at)
        the_agers_day(leads, at, full)
        live_counts(at)
        growth("scoring_growth_in_rules", {count: judged(at, count) for count in (10, 80)}, goal=0.2)
        preview(leads, at, full)
        peaks = peak_memory()
        figure(
            "scoring_memory",
            ours=max(peaks.values()),
            yardstick=500,
            unit="MB of the largest process",
            **peaks,
        )


# Measuring


class Cost:
    """CPU s (backend and this process) and wall s of a block."""

    def __enter__(self):
        self.started = cpu(), time.monotonic()
        return self

    def __exit__(self, *failure):
        self.cpu = cpu() - self.started[0]
        self.wall = time.monotonic() - self.started[1]


def cpu():
    return time.process_time() + backend_cpu()


def backend_cpu():
    fields = Path(f"/proc/{backend()}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def backend():
    return sql("SELECT pg_backend_pid()")[0][0]


def peak_memory():
    """MB that this process and the backend, with the shared buffers it touched, ever occupied."""
    peaks = {"python": "self", "backend": backend()}
    for name, pid in peaks.items():
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        peaks[name] = round(int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024)
    return peaks


def growth(name, costs, *, goal):
    """The exponent with which CPU grows from the smaller to the larger case; `costs` is {size: CPU s}."""
    (small, low), (large, high) = sorted(costs.items())
    exponent = math.log(high / low) / math.log(large / small)
    figure(
        name,
        ours=exponent,
        yardstick=goal,
        unit="exponent of CPU",
        cpu={n: round(c, 2) for n, c in costs.items()},
    )


def sql(statement, params=()):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def now():
    from django.utils import timezone

    return timezone.now()


# What is measured


def add_leads(first, last, at):
    started = time.monotonic()
    crowd(first=first, last=last, at=at)
    from django.db import connection

    connection.close()  # the backend that built the crowd used the memory of index builds
    sql("SET max_parallel_workers_per_gather = 0")  # whatever is spent is spent by one backend
    print(f"# {last:,} leads after {time.monotonic() - started:.0f} s", flush=True)


def publication(at, given=None):
    """The Cost of asking, filling every lead and flipping to a version of `given` rules."""
    from scoring.models import ModelVersion
    from scoring.publish import forget_replaced, publish
    from scoring.tests.cast import draft

    more = ModelVersion.objects.count()  # other points than before, so that every row differs
    version = draft(*(given or rules(more=more / 100)))
    sql("VACUUM")
    with Cost() as spent:
        publish(version=version, by=None, at=at, approved=True)
    while forget_replaced():
        pass
    sql("VACUUM ANALYZE scoring_score")
    return spent


def against_the_limit(leads, at):
    """CPU s of a whole publication, which writes every row, in units of the limit: the median of three turns of both."""
    turns = [turn(at) for _ in range(3)]
    full, wall, read, write, hot, written = map(statistics.median, zip(*turns, strict=True))
    figure(
        "scoring_full", ours=full, yardstick=read + write, unit="CPU s", leads_per_s=round(leads / wall),
        wall=round(wall, 2), hash_aggregate=round(read, 2), hot_update=round(write, 2), hot_share=round(hot / leads, 3),
        written=written, all=[round(full / (read + write), 2) for full, _, read, write, _, _ in turns],
    )  # fmt: skip
    return full


def turn(at):
    """CPU s and wall s of a publication; CPU s of reading and of writing its rows; how many heap-only; how many."""
    from scoring.models import ModelVersion

    full = publication(at)
    version = ModelVersion.objects.get(status="published", model__slug="test")
    with Cost() as read:
        sql(
            "SELECT count(*) FROM (SELECT lead_id, count(*), max(occurred_at) FROM leads_activity GROUP BY lead_id) x"
        )
    before = hot_updates()
    with Cost() as write:
        sql(
            "UPDATE scoring_score SET as_of = as_of + interval '1 second' WHERE model_version_id = %s",
            [version.pk],
        )
    sql("SELECT pg_stat_force_next_flush()")
    hot = hot_updates() - before
    sql("VACUUM ANALYZE scoring_score")
    written = sql("SELECT count(*) FROM scoring_score WHERE model_version_id = %s", [version.pk])[0][0]
    return full.cpu, full.wall, read.cpu, write.cpu, hot, written


def hot_updates():
    return sql(
        "SELECT n_tup_hot_upd + pg_stat_get_xact_tuples_hot_updated(relid) FROM pg_stat_user_tables WHERE relname = 'scoring_score'"
    )[0][0]


def against_the_loop(leads, at, full):
    """CPU s per lead of the loop over leads and rules, in units of ours."""
    from scoring.models import ModelVersion, Score
    from scoring.rescore import rescore

    version = ModelVersion.objects.get(status="published", model__slug="test")
    lead_ids = random.Random(1).sample(range(1, leads), SAMPLE)
    stored = {
        score.lead_id: (score.fit, score.engagement)
        for score in Score.objects.filter(model_version=version, lead__in=lead_ids)
    }
    with Cost() as spent:
        found = loop(lead_ids, version=version, at=at)
    if any(
        abs(a - b) > 0.1 for lead_id in lead_ids for a, b in zip(found[lead_id], stored[lead_id], strict=True)
    ):
        raise SystemExit("the loop finds other points")  # than rounding each rule to a hundredth explains
    figure(
        "scoring_loop", ours=spent.cpu / SAMPLE, yardstick=full / leads, unit="CPU s per lead", sample=SAMPLE
    )
    rescore(lead_ids=lead_ids, at=at)  # the loop has spoilt them


def one_lead(leads, at):
    """Median ms of re-scoring one lead, which stays as it is or has done something.

    Against fetching the rows that this reads, a statement per table: the lead with its company, its log, its scores;
    against the first two of these; and against the lead and its log by the ORM.
    """
    from leads.activities import record
    from leads.models import Lead
    from scoring.rescore import rescore

    def ours(lead_id):
        rescore(lead_ids=[lead_id], at=at)

    lead_ids = random.Random(2).sample(range(1, leads), ONES)
    ways = ways_of_reading() | {"ours": ours}
    taken = {name: [] for name in [*ways, "changed"]}
    for lead_id in lead_ids[:20]:  # statements are planned, pages are warm
        ours(lead_id), ways["rows"](lead_id)
    turns = random.Random(3)
    for lead_id in lead_ids:  # in turns, so that a noisy machine hits all alike, and nobody always comes last
        for name in turns.sample(list(ways), len(ways)):
            taken[name].append(milliseconds(ways[name], lead_id))
        record(lead=Lead(pk=lead_id), kind="page_view", asset="/pricing/1", at=at)
        taken["changed"].append(milliseconds(ours, lead_id))
    median = {name: statistics.median(values) for name, values in taken.items()}
    for name, yardstick in product(("ours", "changed"), ("rows", "log", "orm")):
        figure(
            f"scoring_one_{'lead' if name == 'ours' else 'event'}_against_{yardstick}", ours=median[name],
            yardstick=median[yardstick], unit="ms", p95=round(percentile(taken[name], 0.95), 2),
        )  # fmt: skip


def ways_of_reading():
    """{name: a way to read one lead by its id}"""
    from leads.models import Activity, Lead
    from scoring.engine.rulebook import live_versions

    for prepare in (
        "PREPARE one_lead (bigint) AS SELECT l.*, c.* FROM leads_lead l LEFT JOIN leads_company c ON c.id = l.company_id WHERE l.id = $1",
        "PREPARE its_log (bigint) AS SELECT occurred_at, touchpoint_id FROM leads_activity WHERE lead_id = $1 ORDER BY occurred_at",
        "PREPARE its_scores (bigint) AS SELECT * FROM scoring_score WHERE model_version_id = ANY(%(live)s) AND lead_id = $1",
    ):
        sql(prepare, {"live": [version.id for version in live_versions()]})

    def log(lead_id):
        sql("EXECUTE one_lead (%s)", [lead_id])
        sql("EXECUTE its_log (%s)", [lead_id])

    def rows(lead_id):
        log(lead_id)
        sql("EXECUTE its_scores (%s)", [lead_id])

    def orm(lead_id):
        Lead.objects.select_related("company").get(pk=lead_id)
        list(Activity.objects.filter(lead=lead_id).order_by("occurred_at"))

    return {"log": log, "rows": rows, "orm": orm}


def preview(leads, at, full):
    """CPU s of what the lab asks first: all leads judged by a draft, nothing written. Against publishing it."""
    figure("scoring_preview", ours=judged(at, 40), yardstick=full, unit="CPU s")


def judged(at, count):
    """CPU s of judging all leads by a draft of `count` rules."""
    from scoring.tests.cast import draft
    from scoring.trial import scores_of

    version = draft(*rules(fit=count * 2 // 5, activity=count - count * 2 // 5 - 6, more=count / 100))
    with Cost() as spent:
        trial = scores_of(version, at=at)
    if len(trial.ids) != sql("SELECT count(*) FROM leads_lead WHERE NOT is_test")[0][0]:
        raise SystemExit("not all leads were judged")
    return spent.cpu


def milliseconds(way, *args):
    started = time.perf_counter()
    way(*args)
    return 1000 * (time.perf_counter() - started)


def the_agers_day(leads, at, full):
    """24 hours in which nothing happens but time: what the ager costs, and whether it missed anything."""
    from scoring.rescore import age_due, rescore, rescore_due

    touched = 0
    sql("UPDATE leads_lead SET rescore_at = NULL WHERE rescore_at IS NOT NULL")
    sql("VACUUM ANALYZE leads_lead")
    with Cost() as spent:
        for hour in range(1, 25):
            touched += age_due(at=at + timedelta(hours=hour))
            while rescore_due(at=at + timedelta(hours=hour)):
                pass
    end, missed = at + timedelta(hours=24), 0
    for first in range(1, leads, 5000):
        missed += rescore(lead_ids=range(first, min(first + 5000, leads)), at=end)
    figure(
        "scoring_agers_day", ours=spent.cpu, yardstick=full, unit="CPU s", touched=touched,
        touched_share=round(touched / leads, 4), missed=missed,
    )  # fmt: skip
    if missed:
        raise SystemExit(f"{missed} scores were no longer true after a day")


COUNTED = {
    "field": {"all": [{"is": "company_field", "field": "size", "op": "at_least", "value": 200}, {"is": "lead_field", "field": "job_title", "op": "contains", "value": "vp"}]},
    "behaviour": {"is": "did", "kind": "page_view", "asset": "/pricing", "times": 2, "days": 14},
    "both": {"all": [
        {"is": "company_field", "field": "size", "op": "at_least", "value": 200},
        {"is": "did", "kind": "page_view", "asset": "/product", "times": 3, "days": 90},
        {"none": [{"is": "company_field", "field": "relationship", "op": "equals", "value": "competitor"}]},
    ]},
    "quiet": {"is": "did_nothing", "days": 60},
}  # fmt: skip


def live_counts(at):
    """Ms of the count beside a condition that is being built: the worst condition's median, and p95 of all."""
    from leads.criteria.matching import count

    medians, everything = {}, []
    for name, tree in COUNTED.items():
        taken = [milliseconds(lambda tree=tree: count(tree, at=at)) for _ in range(12)]
        medians[name] = round(statistics.median(taken))
        everything += taken
    figure(
        "scoring_live_count",
        ours=percentile(everything, 0.95),
        yardstick=300,
        unit="ms, p95",
        medians=medians,
    )


if __name__ == "__main__":
    main()
