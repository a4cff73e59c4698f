"""A CSV file and its map become leads, once, whatever interrupts it."""

import csv
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from leads import importing
from leads.models import Activity, ImportRejection, ImportRun, Lead, Source

pytestmark = pytest.mark.django_db

MAP = {
    "columns": {"Key": "external_id", "Mail": "email", "Name": "last_name", "Size": "company_size",
                "From": "source", "When": "occurred_at", "Page": "asset"},
    "system": "old-crm",
    "values": {"From": {"?": None, "fair": "Spring Fair"}},
    "defaults": {"country": "DE"},
}  # fmt: skip
ROWS = """Key,Mail,Name,Size,From,When,Page,Left out
1, Ada@Acme.example ,Lovelace,300,fair,2026-01-05,/roi,x
2,,Müller,12,?,2026-01-06T10:00:00Z,/prices,y
3,not an address,Broken,5,web,2026-01-07,,z
4,ed@acme.example,Ed,many,web,2026-01-07,,
"""


@pytest.fixture
def files(tmp_path):
    path, mapping = tmp_path / "leads.csv", tmp_path / "map.json"
    path.write_text(ROWS, "utf-8")
    mapping.write_text(json.dumps(MAP), "utf-8")
    return path, mapping


def run(files, capsys, *flags):
    call_command("import_leads", str(files[0]), "--map", str(files[1]), *flags)
    return capsys.readouterr().out.strip().splitlines()


def test_it_works(files, capsys):
    assert run(files, capsys)[-1] == "created 2, matched 0, rejected 2"
    ada = Lead.objects.get(email="ada@acme.example")
    assert (ada.last_name, ada.country, ada.company.domain, ada.source.name) == (
        "Lovelace", "DE", "acme.example", "Spring Fair",
    )  # fmt: skip
    assert list(ada.external_ids.values_list("system", "value")) == [("old-crm", "1")]
    activity = ada.activities.select_related("touchpoint").get()
    assert (str(activity.touchpoint), f"{activity.occurred_at:%Y-%m-%d}") == (
        "form_submit /roi",
        "2026-01-05",
    )
    assert Lead.objects.get(external_ids__value="2").source is None
    assert ada.rescore_at is not None


def test_each_rejected_line_is_reported_with_its_remedy(files, capsys):
    run(files, capsys)
    with (files[0].parent / "leads.csv.rejected.csv").open(encoding="utf-8", newline="") as file:
        header, broken, many = csv.reader(file)
    assert header == ["line", "field", "problem", "row"]
    assert broken[:3] == ["4", "email", "is not an e-mail address. Write it like ada@acme.example."]
    assert many[:2] == ["5", "company_size"]
    assert many[2].startswith("is not a whole number.")
    assert "Size=many" in many[3]


def test_a_second_run_creates_nobody_and_logs_nothing_twice(files, capsys):
    run(files, capsys)
    assert run(files, capsys)[-1] == "created 0, matched 2, rejected 2"
    assert Activity.objects.count() == 2


def test_a_dry_run_keeps_nothing(files, capsys):
    assert run(files, capsys, "--dry-run")[-1] == "created 2, matched 0, rejected 2"
    assert (Lead.objects.count(), Source.objects.filter(slug="spring-fair").count()) == (0, 0)
    assert ImportRejection.objects.count() == 0


def test_a_dry_run_counts_a_repeated_person_once(files, capsys, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 1)
    files[0].write_text("Key,Mail,Name,Size,From,When,Page\n" + "1,a@b.example,A,,,,\n" * 3, "utf-8")
    assert run(files, capsys, "--dry-run")[-1] == "created 1, matched 2, rejected 0"


def test_an_interrupted_run_goes_on_where_it_stopped(files, capsys, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 1)
    batches = []

    def killed_in_the_third(run, lines, *rest):
        batches.append(lines)
        if len(batches) == 3:
            raise KeyboardInterrupt
        return whole(run, lines, *rest)

    whole = importing._batch
    monkeypatch.setattr(importing, "_batch", killed_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        run(files, capsys)
    assert ImportRun.objects.get().rows_done == 2
    capsys.readouterr()
    monkeypatch.setattr(importing, "_batch", whole)
    lines = run(files, capsys)
    assert lines[0] == "Going on after 2 lines of an earlier run."
    assert lines[-1] == "created 2, matched 0, rejected 2"
    assert ImportRun.objects.get().finished_at is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"columns": {}}, '"columns"'),
        ({"columns": {"Mail": "password"}}, "unknown lead fields: password"),
        ({"colour": "red"}, "unknown keys: colour"),
        ({"columns": {"Nobody": "email"}}, "The file has no column Nobody"),
    ],
)
def test_a_wrong_map_says_what_to_change(files, capsys, change, words):
    files[1].write_text(json.dumps(MAP | change), "utf-8")
    with pytest.raises(CommandError, match=words):
        run(files, capsys)


def test_files_that_are_none(files, capsys):
    with pytest.raises(CommandError, match="is not a file"):
        call_command("import_leads", "nowhere.csv", "--map", str(files[1]))
    files[0].write_text("", "utf-8")
    with pytest.raises(CommandError, match="The file is empty"):
        run(files, capsys)
    files[1].write_text("{", "utf-8")
    with pytest.raises(CommandError, match="is not JSON"):
        run(files, capsys)


def test_hostile_lines_are_rejected_or_taken_but_never_crash(files, capsys):
    cells = ["\x00", "=cmd()", "'; DROP TABLE leads_lead; --", "a" * 300, "😀", "\udc80", "1e400"]
    lines = "".join(f'{n},x{n}@y.example,"{cell}",{n},,,\n' for n, cell in enumerate(cells))
    files[0].write_bytes(
        ("Key,Mail,Name,Size,From,When,Page\n" + lines + "1,2,3,4,5,6,7,8,9\n").encode(
            "utf-8", "surrogateescape"
        )
    )
    last = run(files, capsys)[-1]
    assert last == "created 5, matched 0, rejected 3"


def test_any_marketing_list_is_dated_now_unless_it_says_otherwise(files):
    mapping = importing.Map.parse({"columns": {"Mail": "email"}})
    now = timezone.now()
    item = importing._item({"Mail": "x@y.example"}, mapping, now)
    assert item["occurred_at"] == now
