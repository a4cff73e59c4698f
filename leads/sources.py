"""Where a lead came from, by the word that a trusted sender used for it."""

from django.utils.text import slugify

from leads.models import Campaign, Source


def source_named(text):
    """The source of that slug, made at its first use: a lead is not refused for the name of a channel."""
    return named(Source, text)


def campaign_named(text):
    return named(Campaign, text)


def named(model, text):
    """None when nothing is left of the text as a slug."""
    slug = slugify(text)[:100].strip("-")
    if not slug:
        return None
    return model.objects.get_or_create(slug=slug, defaults={"name": str(text).strip()[:100]})[0]
