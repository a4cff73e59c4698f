"""What an e-mail address or a domain tells: whose it is, and whether it is a person's at all."""

from functools import cache, lru_cache
from pathlib import Path

import tldextract
from disposable_email_domains import blocklist as disposable
from email_validator import EmailNotValidError, validate_email

# Offline: the list of suffixes that ships with the package, no cache to write.
split_domain = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

ROLE_NAMES = frozenset(
    "abuse accounting accounts admin administration administrator billing bookings buchhaltung careers commercial"
    " compras contact contacto contatto customerservice einkauf email enquiries enquiry export finance gdpr hello help"
    " helpdesk hostmaster hr info information invest invoice it jobs kontakt legal mail mailbox marketing media news"
    " newsletter no-reply noc noreply office order orders post postmaster pr presse press privacy purchasing"
    " reception recruiting root sales security secretariat service support team techsupport vendas ventas verkauf"
    " vertrieb webmaster welcome".split()
)


def normal_email(text):
    """The address in the one spelling under which we know it: lower-case, NFC. Raises ValueError saying why not."""
    try:
        # The test environment admits `.test`; `.example` needs no permission.
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    # Folding once more with lower() because the constraint compares with PostgreSQL's lower().
    return found.normalized.casefold().lower()


def is_role_address(email):
    return email.partition("@")[0].partition("+")[0] in ROLE_NAMES


@cache
def free_mail():
    """Domains of mailbox providers and access providers: everybody may have an address there."""
    return frozenset((Path(__file__).parent / "data" / "free_mail.txt").read_text(encoding="utf-8").split())


@lru_cache(maxsize=20_000)
def registrable_domain(host):
    """`mail.acme.co.uk` → `acme.co.uk`. A suffix that no list knows, like `.example`, is its last label."""
    host = host.strip().rstrip(".").lower()
    parts = split_domain(host)
    if parts.suffix:
        return f"{parts.domain}.{parts.suffix}" if parts.domain else ""
    labels = host.split(".")
    return (
        ".".join(labels[-2:])
        if len(labels) > 1 and all(labels) and not host.replace(".", "").isdigit()
        else ""
    )


@lru_cache(maxsize=20_000)
def business_domain(host):
    """The registrable domain where it stands for one organisation; "" for free and throw-away mail."""
    host = host.strip().rstrip(".").lower()
    domain = registrable_domain(host)
    if {host, domain} & free_mail() or host in disposable or domain in disposable:
        return ""
    return domain
