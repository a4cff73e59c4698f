from django.conf import settings
from django.db import models


class ImportRun(models.Model):
    """One file being imported. Its progress commits with the rows, so a killed import goes on
    where it stopped, and its report is complete."""

    file_hash = models.CharField(max_length=64, help_text="SHA-256 of the file and its map")
    file_name = models.CharField(max_length=255)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    rows_done = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    matched = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["file_hash"],
                condition=models.Q(finished_at__isnull=True),
                name="import_run_one_unfinished",
            )
        ]

    def __str__(self):
        return f"{self.file_name} {self.started_at:%Y-%m-%d %H:%M}"


class ImportRejection(models.Model):
    """One line of a file that was not taken, and why."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rejections")
    line = models.PositiveIntegerField(help_text="Line number in the file, the header is line 1")
    field = models.CharField(max_length=60, blank=True)
    problem = models.CharField(max_length=300)
    row = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index("run", "line", name="import_rejection_line")]

    def __str__(self):
        return f"line {self.line}: {self.problem}"


class EnrichmentUpload(models.Model):
    """Purchased data, uploaded by domain or e-mail. Each value it brought is in the field history, with its provider."""

    provider = models.CharField(max_length=100)
    file_name = models.CharField(max_length=255)
    matched_by = models.CharField(max_length=6, choices=[("domain", "Domain"), ("email", "E-mail address")])
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The file stays until it is worked off; `done` commits with the values, so a killed upload goes on where it stopped.
    body = models.BinaryField(null=True, blank=True)
    columns = models.JSONField(default=dict, blank=True, help_text="{column of the file: field}")
    finished_at = models.DateTimeField(null=True, blank=True)
    rows = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0, help_text="Rows that have been worked off")
    matched = models.PositiveIntegerField(default=0)
    filled = models.PositiveIntegerField(default=0, help_text="Values that now hold")
    kept_back = models.PositiveIntegerField(default=0, help_text="Values that a better source stands against")
    rejected = models.PositiveIntegerField(default=0)
    rejections = models.JSONField(
        default=list, blank=True, help_text="[[line, field, problem], …], the first 100"
    )

    class Meta:
        verbose_name = "upload of purchased data"
        verbose_name_plural = "purchased data"
        indexes = [
            models.Index(
                "id", condition=models.Q(finished_at__isnull=True), name="enrichment_upload_unfinished"
            )
        ]

    def __str__(self):
        return f"{self.provider}: {self.file_name}"
