"""Lists kept by hand: of leads, and of domains. Membership has a history, so that any past moment can be asked."""

from django.db import models
from django.db.models import Q


class LeadList(models.Model):
    """A static list: leads stay on it until somebody takes them off."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    note = models.TextField(blank=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class ListMember(models.Model):
    """One lead on a list from `since` to `until`. Written only by `leads.lists`."""

    list = models.ForeignKey(LeadList, on_delete=models.CASCADE, related_name="members")
    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["list", "lead"], condition=Q(until__isnull=True), name="list_member_once"
            )
        ]

    def __str__(self):
        return f"{self.lead} on {self.list}"


class DomainList(models.Model):
    """Domains that belong together: competitors, universities, our resellers."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    is_demo = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class DomainEntry(models.Model):
    """A registrable domain on a list from `since` to `until`; its subdomains count too."""

    list = models.ForeignKey(DomainList, on_delete=models.CASCADE, related_name="entries")
    domain = models.CharField(max_length=253, help_text="rival.example, in lower case")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "domain entries"
        constraints = [
            models.UniqueConstraint(
                fields=["list", "domain"], condition=Q(until__isnull=True), name="domain_entry_once"
            )
        ]
        indexes = [models.Index("domain", name="domain_entry_domain")]

    def __str__(self):
        return self.domain
