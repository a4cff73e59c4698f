"""Everything a checkout needs to run on one machine with nothing installed: PostgreSQL and Valkey from wheels, and the runner.

Read in this order: `state` (where things lie, what is remembered), `processes` (children that die with their parent),
`postgres` and `valkey` (one server each), `outside` (servers that the environment names instead), `servers` (who owns them, which
environment Django gets), then the three doors: `run` (`make run`), `command` (`manage.py`) and `pytest_plugin` (the tests).

Nothing here is imported by the product: a server started by gunicorn or Celery elsewhere gets its addresses from the environment.
"""
