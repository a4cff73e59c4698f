"""Where a lead came from: source, campaign, and the offer it came by."""

from leads.activities import normal_asset
from leads.criteria.base import CAME_FROM, Criterion, either, quoted
from leads.criteria.parameters import Texts

# How a form or a list brings somebody in (`leads.capture`).
ARRIVALS = ("form_submit", "hand_raise", "download", "event", "lead_posted")


class FromSource(Criterion):
    """The lead source (original), by the slug of the source."""

    key = "source"
    label = "Lead source"
    group = CAME_FROM
    has_subject = True
    in_rules = True
    parameters = (Texts("one_of", "One of", max_length=100, suggests="source.one_of"),)
    sql_of = "SELECT 1 FROM leads_source s WHERE s.id = l.source_id AND s.slug"
    words = "lead source"

    def sql(self, params, at):
        slugs = ", ".join(["%s"] * len(params["one_of"]))
        return f"EXISTS ({self.sql_of} IN ({slugs}))", list(params["one_of"])

    def sentence(self, params):
        return f"{self.words} is {either([quoted(slug) for slug in params['one_of']])}"


class FromCampaign(FromSource):
    """The campaign that first brought the lead, by its slug."""

    key = "campaign"
    label = "Campaign"
    group = CAME_FROM
    parameters = (Texts("one_of", "One of", max_length=150, suggests="campaign.one_of"),)
    sql_of = "SELECT 1 FROM leads_campaign s WHERE s.id = l.campaign_id AND s.slug"
    words = "campaign"


class CameBy(Criterion):
    """The form (by its slug) or the asset by which somebody first came to us: what their first arrival was about."""

    key = "offer"
    label = "Offer they came by"
    group = CAME_FROM
    in_rules = True
    parameters = (
        Texts(
            "one_of",
            "One of",
            max_length=300,
            max_items=50,
            help="a form's slug or an asset",
            suggests="offer.one_of",
        ),
    )

    def sql(self, params, at):
        kinds, offers = (", ".join(["%s"] * len(values)) for values in (ARRIVALS, params["one_of"]))
        arrival = (
            "FROM leads_activity a JOIN leads_touchpoint t ON t.id = a.touchpoint_id"
            f" WHERE a.lead_id = l.id AND a.engagement AND t.kind IN ({kinds})"
        )
        meant = (
            f"IN (SELECT unnest(ARRAY[{offers}]::text[]) UNION ALL SELECT lower(f.asset) FROM leads_captureform f"
            f" WHERE f.slug IN ({offers}) AND f.asset <> '')"
        )
        bound = [*(normal_asset(offer) for offer in params["one_of"]), *params["one_of"]]
        # Few ever met the offer; only of these the first arrival is looked up.
        return (
            f"(EXISTS (SELECT 1 {arrival} AND t.asset {meant})"
            f" AND coalesce((SELECT t.asset {arrival} ORDER BY a.occurred_at, a.id LIMIT 1) {meant}, false))"
        ), [*ARRIVALS, *bound, *ARRIVALS, *bound]

    def sentence(self, params):
        return f"came by {either([quoted(offer) for offer in params['one_of']])}"
