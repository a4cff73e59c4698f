"""Fields that an installation adds for itself, and what it asks about activities."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class CustomField(models.Model):
    """A typed field made in the admin. Values live in `custom` of the lead or company, by `key`.

    Everywhere else the field is called `custom.<key>`: in forms, imports, templates and the field history.
    """

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        CHOICE = "choice", "Choice"
        DATE = "date", "Date"
        YES_NO = "yes_no", "Yes or no"

    class Owner(models.TextChoices):
        LEAD = "lead", "Lead"
        COMPANY = "company", "Company"

    owner = models.CharField(max_length=7, choices=Owner, default=Owner.LEAD)
    key = models.SlugField(max_length=32, help_text="Lower case, fixed once made, e.g. erp_system")
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=6, choices=Type, default=Type.TEXT)
    choices = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    help_text = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["owner", "position", "label"]
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="custom_field_once")]

    def __str__(self):
        return self.label


class DeclaredProperty(models.Model):
    """A property of activities of one kind that conditions may ask: from now on it is part of their touchpoint.

    What it may be stands in `leads.properties`.
    """

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=40)
    label = models.CharField(max_length=60)
    choices = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = "property of activities"
        verbose_name_plural = "properties of activities"
        ordering = ["kind", "label"]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="declared_property_once")]

    def __str__(self):
        return f"{self.label} ({self.kind})"
