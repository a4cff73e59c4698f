"""Facts about the running whole: only who last gave a sign of life."""

from django.db import models


class Heartbeat(models.Model):
    """The last tick of beat that a worker carried out: schedule, broker and worker all live."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self):
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"
