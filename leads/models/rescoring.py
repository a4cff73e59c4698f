from django.db import models


class RescoreRequest(models.Model):
    """A fact changed on which the scores of many leads may rest: who of them is still to be asked for.

    `leads.telling` works it off in batches and deletes it, so a process that dies forgets nobody.
    """

    what = models.CharField(max_length=20, help_text="A key of leads.telling.CONCERNED")
    subject = models.JSONField(help_text="The parameters of its statement")
    at = models.DateTimeField()
    told_to = models.BigIntegerField(default=0, help_text="Leads up to this id have been asked for")

    def __str__(self):
        return f"{self.what} of {self.at:%Y-%m-%d %H:%M}"
