"""Lists kept by hand, as they stood at an instant, and the list of free-mail providers."""

from leads.addresses import free_mail
from leads.criteria.base import LISTS, PERSON, Criterion, quoted
from leads.criteria.parameters import Named
from leads.criteria.reading import domain_lists, lead_lists

THEN = "s.slug = %s AND e.since <= %s AND (e.until IS NULL OR e.until > %s)"
# The registrable part of a host is its last two to four labels; a domain on a list stands for its subdomains too.
HOST = "split_part(l.email, '@', 2)"
LAST_LABELS = [
    HOST,
    *(
        " || '.' || ".join(f"split_part({HOST}, '.', {-place})" for place in range(labels, 0, -1))
        for labels in (2, 3, 4)
    ),
]


class InList(Criterion):
    key = "in_list"
    label = "On a list of leads"
    group = LISTS
    in_rules = True
    parameters = (Named("list", "List", what="list of leads", rows=lead_lists),)

    def sql(self, params, at):
        return (
            "EXISTS (SELECT 1 FROM leads_listmember e JOIN leads_leadlist s ON s.id = e.list_id"
            f" WHERE e.lead_id = l.id AND {THEN})"
        ), [params["list"], at, at]

    def sentence(self, params):
        return f"is on the list {quoted(self.parameters[0].name_of(params['list']))}"


class DomainInList(Criterion):
    """One of the company's domains, or that of the e-mail address, stands on the list."""

    key = "domain_in_list"
    label = "Domain on a list of domains"
    group = LISTS
    in_rules = True
    parameters = (Named("list", "List", what="list of domains", rows=domain_lists),)

    def sql(self, params, at):
        entry = (
            "EXISTS (SELECT 1 FROM leads_domainentry e JOIN leads_domainlist s ON s.id = e.list_id{join}"
            " WHERE {on} AND " + THEN + ")"
        )
        asked = [
            entry.format(join=" JOIN leads_companydomain d ON d.domain = e.domain", on="d.company_id = c.id"),
            *(entry.format(join="", on=f"e.domain = {labels}") for labels in LAST_LABELS),
        ]
        return f"({' OR '.join(asked)})", [params["list"], at, at] * len(asked)

    def sentence(self, params):
        return f"has a domain on the list {quoted(self.parameters[0].name_of(params['list']))}"


class FreeMail(Criterion):
    """The address is at a mailbox provider, where everybody may have one."""

    key = "free_mail"
    label = "Writes from free mail"
    group = PERSON
    in_rules = True

    def sql(self, params, at):
        return f"coalesce({HOST} = ANY(string_to_array(%s, ' ')), false)", [" ".join(sorted(free_mail()))]

    def sentence(self, params):
        return "writes from a free-mail address"
