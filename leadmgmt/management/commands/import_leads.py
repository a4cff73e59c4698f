import csv
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads import importing


class Command(BaseCommand):
    help = "Import leads from a CSV file. The map (docs/import.md) says which column is what."

    def add_arguments(self, parser):
        parser.add_argument("file")
        parser.add_argument("--map", required=True)
        parser.add_argument("--dry-run", action="store_true", help="Say what would happen, keep nothing")

    def handle(self, *, file, map, dry_run, **options):
        path, now = Path(file), timezone.now()
        if not path.is_file():
            raise CommandError(f"{path} is not a file.")
        try:
            mapping = importing.Map.read(map)
            run = importing.start(path=path, mapping=mapping, at=now)
            if run.rows_done:
                self.stdout.write(f"Going on after {run.rows_done:,} lines of an earlier run.")
            run = importing.carry_on(
                run=run, path=path, mapping=mapping, at=now, say=self._progress, dry_run=dry_run
            )
        except importing.BadMap as error:
            raise CommandError(str(error)) from None
        if run.rejected and not dry_run:
            self.stdout.write(f"Rejected lines: {self._report(run, path)}")
        self.stdout.write(f"created {run.created}, matched {run.matched}, rejected {run.rejected}")

    def _progress(self, share):
        self.stdout.write(f"{share:4.0%}")
        self.stdout.flush()

    def _report(self, run, path):
        """Every rejected line of the run, beside the file, ready to be mended and imported again."""
        report = path.with_name(f"{path.name}.rejected.csv")
        with report.open("w", newline="", encoding="utf-8") as out:
            rows = csv.writer(out)
            rows.writerow(["line", "field", "problem", "row"])
            for rejection in run.rejections.order_by("line").iterator():
                rows.writerow([rejection.line, rejection.field, rejection.problem, _cells(rejection.row)])
        return report


def _cells(row):
    """The line as one cell that no spreadsheet takes for a formula."""
    text = "; ".join(f"{name}={value}" for name, value in row.items())
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
