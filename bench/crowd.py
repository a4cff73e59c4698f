"""A crowd for the scoring bench, made by SQL: leads, companies, touchpoints and their activities of 180 days.

Per lead the median is 3 activities and the mean 10, the busiest have 4000. What is asked for is made in the same
way each time. Only for a bench's own database: foreign keys are not checked while the rows go in.
"""

from django.db import connection, transaction

LEADS_PER_COMPANY = 5
ROLES = "{'',decision maker,influencer,user,executive sponsor,''}"
TITLES = "{'',VP Sales,Head of Operations,Marketing Manager,Engineer,CTO,Student,Director of IT,Buyer,''}"
INDUSTRIES = "{'',Software,Manufacturing,Chemistry,Retail,Health,Energy,Transport}"
COUNTRIES = "{'',DE,US,FR,GB,CH,AT,NL}"
TIMELINES = "{'','','','',within 30 days,within 3 months,this year}"

# (kind, asset before the number, how many): 5 640 in all; few of them make most of what happens
TOUCHPOINTS = [
    ("page_view", "/pricing/", 60), ("page_view", "/product/", 900), ("page_view", "/blog/", 2400),
    ("page_view", "/docs/", 600), ("page_view", "/careers/", 40), ("download", "/papers/", 500), ("webinar", "/webinars/", 90),
    ("mail_click", "/news/", 800), ("search", "", 150), ("form_submit", "form-", 60), ("event", "fair-", 38),
    ("hand_raise", "ask-", 2),
]  # fmt: skip

COMPANIES = """
INSERT INTO leads_company (id, name, name_key, domain, relationship, size, industry, country, is_demo, created_at, updated_at)
SELECT n, 'Company ' || n, 'company ' || n, 'company' || n || '.example',
  CASE WHEN n %% 50 = 0 THEN 'competitor' WHEN n %% 20 = 0 THEN 'customer' ELSE 'prospect' END,
  CASE WHEN n %% 3 > 0 THEN power(10, 1 + 3 * random())::int END,
  (%(industries)s::text[])[1 + n %% 8], (%(countries)s::text[])[1 + n / 7 %% 8], false, %(at)s, %(at)s
FROM generate_series(%(first)s / %(per)s + 1, %(last)s / %(per)s) AS n
"""
LEADS = """
INSERT INTO leads_lead (id, email, is_role_address, first_name, last_name, job_title, role, phone, country, industry,
  company_id, company_size, timeline, timeline_until, origin, lead_type, place, place_reason, stage, cycle_no,
  is_test, is_demo, has_external_id, search_text, created_at, updated_at)
SELECT n, 'person' || n || '@company' || n / %(per)s + 1 || '.example', false, 'Ada', 'Person ' || n,
  (%(titles)s::text[])[1 + (random() * 9.99)::int %% 10], (%(roles)s::text[])[1 + (random() * 5.99)::int %% 6],
  CASE WHEN n %% 4 = 0 THEN '+49 30 ' || n ELSE '' END, (%(countries)s::text[])[1 + n %% 8],
  (%(industries)s::text[])[1 + n %% 8], n / %(per)s + 1, CASE WHEN n %% 3 = 0 THEN power(10, 1 + 3 * random())::int END,
  timeline, CASE WHEN timeline <> '' THEN made_at + interval '90 days' END,
  'marketing', '', 'scoring', '', 'inquiry', 1, false, false, false, 'person' || n || ' ada person company ' || n / %(per)s + 1,
  made_at, made_at
FROM (
  SELECT n, (%(timelines)s::text[])[1 + (random() * 6.99)::int %% 7] AS timeline,
    %(at)s - interval '1 day' * (500 * power(random(), 1.5)) AS made_at
  FROM generate_series(%(first)s + 1, %(last)s - 1) AS n OFFSET 0
) AS drawn
"""
TOUCHPOINTS_SQL = """
INSERT INTO leads_touchpoint (kind, asset)
SELECT kind, prefix || n FROM unnest(%s::text[], %s::text[], %s::int[]) AS t(kind, prefix, many), generate_series(1, many) n
ON CONFLICT DO NOTHING
"""
# A lead has 1.617 * u ** -0.8914 activities; of 5 640 touchpoints the first tenth makes a third of them.
ACTIVITIES = """
WITH point AS MATERIALIZED (
  SELECT id, row_number() OVER (ORDER BY kind = 'hand_raise', md5(kind || asset)) AS rank FROM leads_touchpoint
), wish AS MATERIALIZED (
  SELECT n AS lead_id, random() AS age,
    1 + floor(power(random(), 2) * (SELECT count(*) FROM leads_touchpoint))::bigint AS rank
  FROM (
    SELECT n, least(4000, floor(1.617 * power(1 - random(), -0.8914)))::int AS times
    FROM generate_series(%(first)s + 1, %(last)s - 1) AS n OFFSET 0
  ) AS busy, generate_series(1, times)
)
INSERT INTO leads_activity (lead_id, touchpoint_id, occurred_at, received_at, engagement, properties)
SELECT w.lead_id, p.id, t.at, t.at, true, '{}'
FROM wish w
JOIN point p USING (rank),
LATERAL (SELECT %(at)s - interval '1 day' * (180 * w.age) AS at) t
ORDER BY t.at
"""


def crowd(*, first, last, at):
    """Leads with the ids first + 1 … last - 1 who have done things until `at`, all of it vacuumed and analysed."""
    params = {
        "first": first, "last": last, "at": at, "per": LEADS_PER_COMPANY, "roles": ROLES, "titles": TITLES,
        "industries": INDUSTRIES, "countries": COUNTRIES, "timelines": TIMELINES,
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '512MB'; SELECT setseed(0.42)"
        )
        cursor.execute(TOUCHPOINTS_SQL, [list(column) for column in zip(*TOUCHPOINTS, strict=True)])
        for statement in (COMPANIES, LEADS):
            cursor.execute(statement, params)
        with without_indexes(cursor, "leads_activity"):
            cursor.execute(ACTIVITIES, params)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


class without_indexes:
    """Ten million rows go in three times as fast when their indexes are made afterwards."""

    def __init__(self, cursor, table):
        self.cursor, self.table = cursor, table

    def __enter__(self):
        self.cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT LIKE '%%pkey'",
            [self.table],
        )
        self.definitions = dict(self.cursor.fetchall())
        for name in self.definitions:
            self.cursor.execute(f'DROP INDEX "{name}"')

    def __exit__(self, *failure):
        if failure[0] is None:
            for definition in self.definitions.values():
                self.cursor.execute(definition)
