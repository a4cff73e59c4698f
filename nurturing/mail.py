"""One touch becomes one mail: values, tracked links, the way out, headers."""

import html
import re
from collections import defaultdict
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.crypto import salted_hmac

from leads import custom_fields
from nurturing.letter import BadTemplate, compiled
from nurturing.models import TrackedLink

ANCHOR = re.compile(r'(<a\b[^>]*?\shref=")([^"]*)(")', re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")
# What mail programs make a link of. Anybody may send us anybody's address, with a name that says: go there.
LURE = re.compile(r"://|\bwww\.|\.[a-z]{2,}/", re.IGNORECASE)
LONGEST_URL = TrackedLink._meta.get_field("url").max_length

SAMPLE_LEAD = {
    "first_name": "Sarah", "last_name": "Miller", "name": "Sarah Miller", "email": "sarah@acme.example", "job_title": "Head of Operations",
    "role": "decision maker", "phone": "+49 30 1234567", "country": "DE", "industry": "Logistics", "company_size": 300, "timeline": "within 3 months",
    "product_interest": "Warehouse suite",
}  # fmt: skip
SAMPLE_COMPANY = {
    "name": "Acme",
    "domain": "acme.example",
    "industry": "Logistics",
    "country": "DE",
    "size": 300,
}


class Links:
    """The tracked links of a batch: an address keeps its token when its mail is tried again."""

    def __init__(self, touches):
        rows = TrackedLink.objects.filter(touch__in=touches).values_list("touch_id", "url", "token")
        self.tokens = {(touch_id, url): token for touch_id, url, token in rows}
        self.new = []

    def token(self, touch, url):
        key = (touch.pk, url)
        if key not in self.tokens:
            link = TrackedLink(touch=touch, url=url)
            self.tokens[key] = link.token
            self.new.append(link)
        return self.tokens[key]

    def save(self):
        TrackedLink.objects.bulk_create(self.new)
        self.new = []


def render(template, lead, touch, *, links=None):
    """The EmailMessage of a touch. `links`: a Links to be saved by the caller before the mail
    leaves; without it they are saved here. Raises BadTemplate with words for a marketer."""
    own = links is None
    links = Links([touch]) if own else links
    way_out = public_url("unsubscribe", touch.link_token)
    values = {
        "lead": fields_of(lead), "company": fields_of_company(lead),
        "unsubscribe_url": way_out, "postal_address": postal_address(),
    }  # fmt: skip
    subject, body, text = compiled(template).render(values)
    body, text = tracked(body, text, touch=touch, links=links, way_out=way_out)
    message = EmailMultiAlternatives(
        subject=one_line(subject),
        body=text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[deliverable(lead.email)],
        headers={
            "Message-ID": message_id(touch),
            "X-Touch-ID": str(touch.pk),
            "List-Unsubscribe": f"<{way_out}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    message.attach_alternative(body, "text/html")
    if own:
        links.save()
    return message


def check(template):
    """What keeps a template from being used, in words; empty when nothing does."""
    try:
        compiled(template).render(sample_values())
    except BadTemplate as error:
        return [str(error)]
    return []


def sample_values():
    """Every value that a template may name, custom fields included."""
    return {
        "lead": SAMPLE_LEAD | {"custom": custom_fields.examples("lead")},
        "company": SAMPLE_COMPANY | {"custom": custom_fields.examples("company")},
        "unsubscribe_url": f"{settings.PUBLIC_URL}/u/sample/",
        "postal_address": postal_address(),
    }


def warnings():
    """What an operator should still set before mail leaves."""
    found = []
    if not postal_address():
        found.append(
            "POSTAL_ADDRESS is not set: marketing mail stays in the local mailbox or waits until it is."
        )
    if settings.EMAIL_URL and not settings.PUBLIC_URL.startswith("https://"):
        found.append("PUBLIC_URL is not https: mail programs ignore one-click unsubscribe without it.")
    return found


def fields_of(lead):
    return {name: no_lure(getattr(lead, name)) for name in SAMPLE_LEAD} | {"custom": known(lead.custom)}


def fields_of_company(lead):
    company = lead.company if lead.company_id else None
    values = {name: no_lure(getattr(company, name)) if company else "" for name in SAMPLE_COMPANY}
    return values | {"custom": known(company.custom if company else {})}


def no_lure(value):
    """A value as a letter may say it: unknown where it would lead somewhere."""
    return "" if value is None or LURE.search(str(value)) else value


def known(custom):
    """Custom values for a letter: what nobody knows is empty, as with every other field. `check` finds misspelt ones."""
    return defaultdict(str, custom)


def tracked(body, text, *, touch, links, way_out):
    """Web addresses of `<a>` become tracked ones, in the text part too; anything but web, mail and
    telephone addresses is taken out. Works on the finished HTML, where values are escaped."""
    replaced = {}

    def replace(match):
        url = html.unescape(match.group(2)).strip()
        if url == way_out or url.lower().startswith(("mailto:", "tel:")):
            return match.group()
        if not is_web(url):
            return match.group(1) + "#" + match.group(3)
        replaced[url] = public_url("track-click", links.token(touch, url))
        return match.group(1) + replaced[url] + match.group(3)

    body = ANCHOR.sub(replace, body)
    if replaced:
        # One pass, longest first: an address that begins another one must not cut it in two.
        found = re.compile("|".join(re.escape(url) for url in sorted(replaced, key=len, reverse=True)))
        text = found.sub(lambda match: replaced[match.group()], text)
    return body, text


def is_web(url):
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and len(url) <= LONGEST_URL


def message_id(touch):
    """Stable: a second try of the same touch carries the same id, and no secret."""
    digest = salted_hmac("nurturing.message_id", str(touch.pk)).hexdigest()[:24]
    return f"<touch.{touch.pk}.{digest}@{sender_domain()}>"


def sender_domain():
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(" >")
    return domain or "localhost"


def public_url(name, token):
    return settings.PUBLIC_URL + path_around_token(name).replace("TOKEN", token)


@cache
def path_around_token(name):
    """Reversing costs more than the rest of a link, and there are several in every mail."""
    return reverse(name, args=["TOKEN"])


def postal_address():
    return one_line(settings.POSTAL_ADDRESS.replace("\n", ", "))


def one_line(text):
    return CONTROL.sub(" ", text).strip()


def deliverable(address):
    """Exactly one address, or BadTemplate: a comma or a line end would make it several."""
    if not address or address.count("@") != 1 or re.search(r"[\s,;<>()\x00-\x1f\x7f\u2028\u2029]", address):
        raise BadTemplate(f"The address {address!r} cannot be mailed. Correct the lead's e-mail.")
    return address
