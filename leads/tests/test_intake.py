from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads import capture, intake
from leads.intake import InvalidLead, clean
from leads.models import Campaign, Company, ExternalId, Lead, Source
from leads.tests.cast import NOW


def cleaned(**data):
    return clean({"email": "a@acme.example"} | data, strict=True, at=NOW)[0]


def problems(data, *, strict=True):
    with pytest.raises(InvalidLead) as caught:
        clean(data, strict=strict, at=NOW)
    assert all(problem and remedy for _, problem, remedy in caught.value.problems)
    return [field for field, _, _ in caught.value.problems]


def test_it_works():
    data = {
        "email": " Ada@ACME.example ",
        "first_name": "  Ada\t Augusta ",
        "company_size": "1,200",
        "phone": "030 123456",
        "country": "Deutschland",
        "timeline": "1 – 3 months",
        "occurred_at": "2026-03-01T12:00:00+01:00",
        "job_title": None,
        "role": "  ",
    }
    assert clean(data, strict=True, at=NOW) == (
        {
            "email": "ada@acme.example",
            "first_name": "Ada Augusta",
            "company_size": 1200,
            "phone": "+4930123456",
            "country": "DE",
            "timeline": "1 – 3 months",
            "occurred_at": datetime(2026, 3, 1, 11, tzinfo=UTC),
            "timeline_until": datetime(2026, 5, 30, 11, tzinfo=UTC),
        },
        {},
    )


def test_all_problems_are_named_at_once():
    wrong = {
        "email": "ada",
        "company_size": "many",
        "country": "Atlantis",
        "occurred_at": "soon",
        "first_name": 5,
    }
    assert problems(wrong) == ["email", "company_size", "country", "occurred_at", "first_name"]


def test_unknown_fields():
    assert problems({"email": "a@acme.example", "colour": "red"}) == ["colour"]
    _, unmapped = clean(
        {"email": "a@acme.example", "colour": "red\x00", "\ud800": ["\udfff"]}, strict=False, at=NOW
    )
    assert unmapped == {"colour": "red\ufffd", "?": ["?"]}


@pytest.mark.parametrize("data", [None, [], "x", 5, {}, {"first_name": "Ada"}, {"last_name": "Lovelace"}, {"company": "Acme"},
                                  {"last_name": "L", "company_domain": "gmail.com"}, {"email": "", "phone": " "}])  # fmt: skip
def test_nobody_is_refused(data):
    assert problems(data)[0] in ("", "email")


@pytest.mark.parametrize(
    "data",
    [{"email": "a@b.example"}, {"phone": "112233"}, {"external_id": "0"}, {"last_name": "L", "company": "Acme"},
     {"last_name": "L", "company_domain": "acme.example"}],
)  # fmt: skip
def test_one_identifier_is_enough(data):
    assert clean(data, strict=True, at=NOW)


@pytest.mark.parametrize(
    "value", ["a\x00b", "a\x1bb", "a\x9fb", "\ud800", 5, True, ["x"], {"x": "y"}, "x" * 101, "x" * 1_000_000]
)
def test_text_that_is_none(value):
    assert problems({"email": "a@b.example", "first_name": value}) == ["first_name"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("  ", None), ("a\u202eb", "ab"), ("e\u0301", "é"), ("a\u2028b", "a b"), ("{{7*7}}<script>", "{{7*7}}<script>"), ("x" * 100, "x" * 100)],
)  # fmt: skip
def test_text(value, expected):
    assert cleaned(first_name=value).get("first_name") == expected


@pytest.mark.parametrize("value", ["ada", "ada@", "@acme.example", "a b@acme.example", "a@acme..example", "a@b", "Ada <a@b.example>",
                                   "a@b.example,c@d.example", "a@[127.0.0.1]", "a" * 255 + "@b.example", "a@x.local", "a@b.example\x00"])  # fmt: skip
def test_addresses_that_are_none(value):
    assert problems({"email": value}) == ["email"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("ADA@MÜNCHEN.DE", "ada@münchen.de"), ("ada@xn--mnchen-3ya.de", "ada@münchen.de"), ("a+b@x.test", "a+b@x.test"),
     ("jose\u0301@x.example", "josé@x.example"), ("o'hara@x.example", "o'hara@x.example")],
)  # fmt: skip
def test_addresses(value, expected):
    assert clean({"email": value}, strict=True, at=NOW)[0]["email"] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (250, 250), ("250", 250), (" 1 200 ", 1200), ("1.200", 1200), (300.0, 300), ("", None), (2_147_483_647, 2_147_483_647)],
)  # fmt: skip
def test_company_size(value, expected):
    assert cleaned(company_size=value).get("company_size") == expected


@pytest.mark.parametrize(
    "value", [-1, 1.5, True, "51-200", "x", float("inf"), float("nan"), 2**31, "9" * 39, "٣", [1], 10**400]
)
def test_company_sizes_that_are_none(value):
    assert problems({"email": "a@b.example", "company_size": value}) == ["company_size"]


@pytest.mark.parametrize(
    ("phone", "country", "expected"),
    [("+49 (30) 123456", None, "+4930123456"), ("030/123456", "DE", "+4930123456"), ("030 123456", None, "030 123456"),
     ("ask for Bob 12345", None, "ask for Bob 12345"), ("(415) 555-2671 x12", "US", "+14155552671;ext=12")],
)  # fmt: skip
def test_phone(phone, country, expected):
    assert cleaned(phone=phone, country=country)["phone"] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("de", "DE"),
        ("U.S.A.", "US"),
        ("uk", "GB"),
        ("The Netherlands", "NL"),
        ("côte d’ivoire", "CI"),
        ("日本", "JP"),
    ],
)
def test_country(value, expected):
    assert cleaned(country=value)["country"] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("https://www.Acme.example:443/x?y#z", "acme.example"), ("shop.acme.co.uk", "acme.co.uk"), ("XN--MNCHEN-3YA.de", "münchen.de")],
)  # fmt: skip
def test_company_domain(value, expected):
    assert cleaned(company_domain=value)["company_domain"] == expected


@pytest.mark.parametrize("value", ["acme", "co.uk", "127.0.0.1", "a..b", "acme example", "x" * 299])
def test_domains_that_are_none(value):
    assert problems({"email": "a@b.example", "company_domain": value}) == ["company_domain"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01 10:00", datetime(2026, 2, 1, 10, tzinfo=UTC)),
    ],
)
def test_occurred_at(value, expected):
    assert cleaned(occurred_at=value)["occurred_at"] == expected


@pytest.mark.parametrize(
    "value",
    ["2026-13-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2030-01-01", 5, "1969-01-01"],
)
def test_times_that_are_none(value):
    assert problems({"email": "a@b.example", "occurred_at": value}) == ["occurred_at"]


def test_timelines():
    assert cleaned(timeline="Within 30 days")["timeline_until"] == NOW + timedelta(days=30)
    assert cleaned(timeline="when the moon is right")["timeline_until"] is None


def test_lengths_are_those_of_the_columns():
    columns = {
        "company": (Company, "name"), "company_domain": (Company, "domain"), "external_id": (ExternalId, "value"),
        "source": (Source, "slug"), "campaign": (Campaign, "slug"),
    }  # fmt: skip
    for name in (
        "first_name",
        "last_name",
        "company",
        "role",
        "job_title",
        "industry",
        "timeline",
        "external_id",
        "source",
        "campaign",
    ):
        model, column = columns.get(name, (Lead, name))
        limit = model._meta.get_field(column).max_length
        assert len(cleaned(**{name: "x" * limit})[name]) == limit
        assert problems({"email": "a@b.example", name: "x" * (limit + 1)}) == [name]


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300) | st.sampled_from(
        ["ada@acme.example", "2026-01-01", "DE", "\x00", "\ud800", "İ@x.example", "ꭰ@x.example", "ß@x.example", "x@ß.example", "+49 30 123456", "9" * 5000, "1e400"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
names = st.sampled_from([*intake.FORM_FIELDS]) | st.text(max_size=20)


@given(data=st.dictionaries(names, hostile, max_size=8) | hostile, strict=st.booleans())
@settings(max_examples=400, deadline=None)
def test_nothing_but_values_or_an_error(data, strict):
    try:
        values, unmapped = clean(data, strict=strict, at=NOW)
    except InvalidLead:
        assert problems(data, strict=strict)
    else:
        assert values.keys() <= {*intake.FORM_FIELDS, "timeline_until"}
        assert not strict or not unmapped


@given(data=st.dictionaries(names, hostile, max_size=8))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_clean_can_be_taken_in(db, data):
    for strict in (True, False):
        try:
            values, _ = clean({"phone": "112233"} | data, strict=strict, at=NOW)
        except InvalidLead:
            continue
        assert capture.submit(values=values, at=NOW, overwrite=strict).activity or values.get("message_id")
