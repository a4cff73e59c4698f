import sys
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leadmgmt.demo import config, play, removal, sandbox, stories
from leadmgmt.local.state import DEMO_LOGINS, write_private

REMOVED = DEMO_LOGINS.with_name("demo-removed")  # so that the next start does not bring it back


class Command(BaseCommand):
    help = "Load, refresh or remove the demo company: about 3,000 leads over 15 months."

    def add_arguments(self, parser):
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--config", action="store_true", help="Configuration and people only")
        choice.add_argument("--refresh", action="store_true", help="Play it again, up to today")
        choice.add_argument("--remove", action="store_true", help="Remove the demo's leads")

    def handle(self, *, config, refresh, remove, **options):
        if not settings.DEMO:
            raise CommandError(
                "This database is not the local one of `make run`. Set DEMO=1 to load the demo here."
            )
        if remove or refresh:
            self.stdout.write(f"Removed {removal.remove():,} demo leads.")
        if remove:
            REMOVED.parent.mkdir(parents=True, exist_ok=True)
            REMOVED.touch()
            return
        self._configure()
        if config:
            return
        if refresh:
            REMOVED.unlink(missing_ok=True)
        if REMOVED.exists():
            self.stdout.write("The demo's history was removed. demo --refresh loads it again.")
            return
        if stories.are_told():
            self.stdout.write("The demo's history is here already. --refresh plays it up to today.")
            return
        self._play()

    def _configure(self):
        passwords = config.load()
        if passwords:
            DEMO_LOGINS.parent.mkdir(parents=True, exist_ok=True)
            write_private(DEMO_LOGINS, config.logins_text(passwords))

    def _play(self):
        started = time.monotonic()
        now = timezone.now()
        progress = Progress(self.stdout)
        try:
            play.history(anchor=now, say=progress)
        except sandbox.AlreadyPlaying:
            raise CommandError("Another process is loading the demo's history.") from None
        places = ", ".join(f"{n:,} {place}" for place, n in sorted(play.leads_at_rest().items()))
        self.stdout.write(f"Demo loaded in {time.monotonic() - started:.0f} s: {places}.")


class Progress:
    """One line a month, or a line that rewrites itself on a terminal."""

    def __init__(self, out):
        self.out = out
        self.live = sys.stdout.isatty()

    def __call__(self, day, leads):
        if day % 30 and day != play.DAYS:
            return
        line = f"Demo: day {day} of {play.DAYS}, {leads:,} leads"
        if self.live and day != play.DAYS:
            self.out.write(f"\r{line}", ending="")
        else:
            self.out.write(f"\r{line}" if self.live else line)
        self.out.flush()
