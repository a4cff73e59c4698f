"""`manage.py api_key NAME`: a new API key, shown once, as the last line."""

from django.core.management.base import BaseCommand, CommandError

from leads.authentication import CAPTURE, READ
from leads.models import ApiKey, Source


class Command(BaseCommand):
    help = "Make a new API key and print it as the last line. It is stored hashed and cannot be shown again."

    def add_arguments(self, parser):
        parser.add_argument("name", help="Who uses it, e.g. website")
        parser.add_argument(
            "--scope",
            action="append",
            choices=[CAPTURE, READ],
            help="What it may do; repeat for several (default: both)",
        )
        parser.add_argument("--source", help="Slug of the lead source of what it sends")

    def handle(self, *, name, scope, source, **options):
        source = self.source(source) if source else None
        if not 0 < len(name.strip()) <= 50:
            raise CommandError("NAME must have 1 to 50 characters.")
        scopes = sorted(set(scope or [CAPTURE, READ]))
        _, key = ApiKey.objects.create_key(name=name.strip(), scopes=scopes, source=source)
        self.stderr.write(
            f"API key {name.strip()!r} with {', '.join(scopes)}. Send it as `Authorization: Api-Key …`:"
        )
        self.stdout.write(key)

    def source(self, slug):
        try:
            return Source.objects.get(slug=slug)
        except Source.DoesNotExist:
            known = ", ".join(Source.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"No source {slug!r}. Known: {known}.") from None
