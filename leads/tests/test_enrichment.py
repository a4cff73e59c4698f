"""Purchased data: fills what is empty, never what is better known; any file is read or refused in words."""

import html
import tracemalloc

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from leads import enrichment, identity, tasks
from leads.models import Company, CustomField, EnrichmentUpload, FieldChange, Lead
from leads.tests import cast
from leads.tests.cast import NOW
from leads.tests.races import together


def upload(text, **more):
    body = text if isinstance(text, bytes) else text.encode()
    return enrichment.upload(provider="DataCo", file_name="bought.csv", body=body, at=NOW, **more)


def used(text, **more):
    kept = upload(text, **more)
    header = enrichment.Table.read(kept.body).header
    enrichment.start(upload=kept, columns=enrichment.guess_columns(header, kept.matched_by), at=NOW)
    kept.refresh_from_db()
    return kept


def report(kept):
    return kept.rows, kept.done, kept.matched, kept.filled, kept.kept_back, kept.rejected


@pytest.mark.django_db
def test_companies_by_domain():
    CustomField.objects.create(key="erp", label="ERP system", owner="company")
    cast.ada()
    carla = cast.person({"email": "c@curie.example"})
    Lead.objects.update(rescore_at=None)
    kept = used(
        "Website,Company Name,Employees,Sector,ERP system,Colour\n"
        "https://www.acme.example/about,Acme Inc,999,Steel,SAP,red\n"
        "curie.example,Curie Labs,12,,Oracle,\n"
        "nobody.example,Nobody,1,,,\n"
        "not a domain,X,1,,,\n"
        "curie.example,Curie,many,,,\n"
    )
    assert report(kept) == (5, 5, 2, 4, 3, 2)
    acme, curie = Company.objects.order_by("id")
    assert (acme.name, acme.size, acme.industry, acme.custom) == (
        "Acme",
        300,
        "Manufacturing",
        {"erp": "SAP"},
    )
    assert (curie.name, curie.size, curie.custom) == ("Curie Labs", 12, {"erp": "Oracle"})
    bought = FieldChange.objects.filter(provider="DataCo")
    assert set(bought.filter(company=acme).values_list("field", "applied")) == {
        ("custom.erp", True), ("name", False), ("size", False), ("industry", False),
    }  # fmt: skip
    assert {change.origin for change in bought} == {"enrichment"}
    assert kept.rejections == [
        [5, "Website", "is not a domain. Write it like acme.example."],
        [6, "Employees", "is not a whole number. Send the number of employees, e.g. 250."],
    ]
    assert kept.finished_at == NOW and kept.body is None
    assert Lead.objects.get(pk=carla.pk).rescore_at == NOW


@pytest.mark.django_db
def test_people_by_address_and_what_outranks_what():
    CustomField.objects.create(key="seats", label="Seats", type="number")
    bob = cast.bob()
    identity.set_fields(lead=bob, values={"job_title": "Buyer"}, origin="rep", at=NOW)
    first = used("E-mail;Job title;Seats;Phone\nBOB@acme.example;Engineer;7;\n")
    assert report(first) == (1, 1, 1, 1, 1, 0)
    second = used("mail\tposition\tseats\tcompany size\nbob@acme.example\tEngineer\t9\t50\n")
    assert report(second)[3:] == (3, 0, 0)  # seats anew, sizes of lead and company; no proposal is made twice
    bob.refresh_from_db()
    assert (bob.job_title, bob.custom, bob.company_size) == ("Buyer", {"seats": 9}, 50)
    # The size of the person's company follows, and names its provider too.
    assert FieldChange.objects.get(company=bob.company, field="size").provider == "DataCo"
    identity.set_fields(lead=bob, values={"custom.seats": 3}, origin="person", at=NOW)
    assert report(used("email,seats\nbob@acme.example,11\n"))[3:] == (0, 1, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty."),
        ("\n \n", "The file is empty."),
        ("domain,name\n", "a header and no rows"),
        ("colour,size\nred,3\n", "No column is called E-mail or Domain"),
        ("domain,size,size\na.example,1,2\n", "The column “size” is there twice"),
    ],
)
def test_files_that_cannot_be_used(text, words):
    with pytest.raises(enrichment.BadFile, match=words):
        upload(text)
    assert not EnrichmentUpload.objects.exists()


def test_a_file_of_columns_is_refused_before_they_are_compared():
    header = ",".join(f"c{number}" for number in range(300_000))
    with pytest.raises(enrichment.BadFile, match="300,001 columns; 1,000 can be read"):
        enrichment.check(f"domain,{header}\n".encode())


def test_a_long_file_is_read_line_by_line():
    body = b"email\n" + b"a@acme.example\n" * 20_000
    tracemalloc.start()
    try:
        assert enrichment.check(body) == ("email", 20_000)
        assert tracemalloc.get_traced_memory()[1] < 3 * len(body), "it is not held as rows"
    finally:
        tracemalloc.stop()


@pytest.mark.django_db
def test_a_hostile_file_costs_only_its_bad_lines():
    cast.ada(), cast.person({"email": "c@curie.example"})
    body = (
        (
            "\ufeffDomain;Industry;Name\r\n"
            f"acme.example;{'x' * 100_000};\r\n"
            'curie.example;Ph\x00ysics;"Curie\n; Sons"\r\n'
            ";Steel;\r\n"
            "a;b;c;d;e\r\n"
            "curie.example\r\n"
            "curie.example;=cmd|' /C calc'!A0;<script>alert(1)</script>\r\n"
        ).encode()
        + b"caf\xff\xfe.example;x;y\r\n"
        + b'"open quote;1;2\r\n'
    )
    kept = used(body)
    curie = Company.objects.get(domain="curie.example")
    assert (curie.industry, curie.name) in {
        ("Physics", "Curie ; Sons"),
        ("=cmd|' /C calc'!A0", "<script>alert(1)</script>"),
    }
    problems = {line: problem for line, _, problem in kept.rejections}
    assert "A cell is longer than 10,000 characters." in problems.values()
    assert "It has 5 cells, the header 3." in problems.values()
    assert "is missing. Fill it in or delete the line." in problems.values()
    assert kept.done == kept.rows == 8
    assert kept.matched + kept.rejected == 8


@pytest.mark.django_db
def test_what_is_long_is_left_to_the_worker(monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(enrichment, "AT_ONCE", 100)
    monkeypatch.setattr(enrichment, "BATCH", 250)
    now = {"created_at": NOW, "updated_at": NOW}
    Lead.objects.bulk_create(Lead(email=f"p{n}@c.example", **now) for n in range(600))
    kept = upload("email,job_title\n" + "".join(f"p{n}@c.example,Title {n}\n" for n in range(600)))
    enrichment.start(upload=kept, columns={"job_title": "job_title"}, at=NOW)
    kept.refresh_from_db()
    assert (kept.done, kept.finished_at) == (0, None)
    with pytest.raises(enrichment.BadFile, match="started already"):
        enrichment.start(upload=kept, columns={"job_title": "job_title"}, at=NOW)
    with django_assert_max_num_queries(3 * 20):  # per batch, whatever the number of rows
        tasks.enrich()
    kept.refresh_from_db()
    assert report(kept) == (600, 600, 600, 600, 0, 0)
    assert Lead.objects.get(email="p7@c.example").job_title == "Title 7"


@pytest.mark.django_db
def test_a_killed_upload_goes_on_where_it_stopped(monkeypatch):
    monkeypatch.setattr(enrichment, "AT_ONCE", 0)
    monkeypatch.setattr(enrichment, "BATCH", 2)
    now = {"created_at": NOW, "updated_at": NOW}
    Lead.objects.bulk_create(Lead(email=f"p{n}@c.example", **now) for n in range(5))
    kept = upload("email,role\n" + "".join(f"p{n}@c.example,user\n" for n in range(5)))
    enrichment.start(upload=kept, columns={"role": "role"}, at=NOW)
    real, calls = enrichment.work_off, []

    def killed(upload, lines, key, *, at):
        real(upload, lines, key, at=at)
        calls.append(len(lines))
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(enrichment, "work_off", killed)
    with pytest.raises(KeyboardInterrupt):
        tasks.enrich()
    assert EnrichmentUpload.objects.get().done == 2
    tasks.enrich()
    kept.refresh_from_db()
    assert report(kept) == (5, 5, 5, 5, 0, 0)
    assert calls == [2, 2, 2, 1]


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_each_say_their_word():
    for n in range(40):
        cast.person({"email": f"p@c{n}.example"})
    texts = {
        "One": "domain,size\n" + "".join(f"c{n}.example,{n + 1}\n" for n in range(40)),
        "Two": "domain,size\n" + "".join(f"c{n}.example,{n + 1000}\n" for n in reversed(range(40))),
    }

    def use(provider):
        kept = enrichment.upload(provider=provider, file_name="x", body=texts[provider].encode(), at=NOW)
        enrichment.start(upload=kept, columns={"size": "size"}, at=NOW)
        kept.refresh_from_db()
        return report(kept)

    assert together(lambda: use("One"), lambda: use("Two")) == [(40, 40, 40, 40, 0, 0)] * 2
    assert FieldChange.objects.filter(field="size", applied=True).count() == 80
    for company in Company.objects.all():
        last = FieldChange.objects.filter(company=company, field="size").latest("id")
        assert company.size == last.new


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_upload_do_it_once(monkeypatch):
    monkeypatch.setattr(enrichment, "AT_ONCE", 0)
    monkeypatch.setattr(enrichment, "BATCH", 5)
    for n in range(30):
        cast.person({"email": f"p{n}@c.example"})
    kept = upload("email,role\n" + "".join(f"p{n}@c.example,user\n" for n in range(30)))
    enrichment.start(upload=kept, columns={"role": "role"}, at=NOW)
    together(tasks.enrich, tasks.enrich)
    tasks.enrich()
    kept.refresh_from_db()
    assert report(kept) == (30, 30, 30, 30, 0, 0)


# --- the page ------------------------------------------------------------------------------------------


def text_of(response):
    return html.unescape(response.content.decode())


def posted(client, text, **more):
    file = SimpleUploadedFile("bought.csv", text if isinstance(text, bytes) else text.encode())
    add = reverse("admin:leads_enrichmentupload_add")
    return client.post(add, {"provider": "DataCo", "matched_by": "", "file": file} | more, follow=True)


@pytest.mark.django_db
def test_a_file_is_looked_at_then_used(client, marketer):
    cast.ada(), cast.person({"email": "c@curie.example"})
    page = text_of(posted(client, "domain,employees,<i>Colour</i>\ncurie.example,12,<b>red</b>\nx,1,\n"))
    assert "Finds the company" in page and "12" in page
    assert "Left out, as no field has their name: <i>Colour</i>" in page
    kept = EnrichmentUpload.objects.get()
    raw = client.get(reverse("admin:leads_enrichmentupload_change", args=[kept.pk])).content.decode()
    assert "&lt;b&gt;red&lt;/b&gt;" in raw and "<b>red</b>" not in raw
    assert '<option value="size" selected>' in raw
    assert Company.objects.get(domain="curie.example").size is None
    use = reverse("admin:leads_enrichmentupload_use", args=[kept.pk])
    page = text_of(client.post(use, {"column-0": "", "column-1": "", "column-2": ""}, follow=True))
    assert "Choose at least one column to use." in page
    page = text_of(client.post(use, {"column-1": "size", "column-2": "size"}, follow=True))
    assert "Two columns cannot fill the same field." in page
    page = text_of(client.post(use, {"column-1": "size", "column-2": "industry"}, follow=True))
    assert "1 company; 0 not known here" in page and "is not a domain. Write it like acme.example." in page
    assert Company.objects.get(domain="curie.example").size == 12
    assert FieldChange.objects.filter(provider="DataCo", actor=marketer).count() == 2
    assert "started already" in text_of(client.post(use, {"column-1": "size"}, follow=True))
    assert "Done" in text_of(client.get(reverse("admin:leads_enrichmentupload_changelist")))


@pytest.mark.django_db
def test_a_bad_file_is_refused_on_the_form(client, marketer):
    page = text_of(posted(client, "colour\nred\n"))
    assert "No column is called E-mail or Domain" in page and "The columns are: colour." in page
    page = text_of(posted(client, "domain,size\na.example,1\n", matched_by="email"))
    assert "No column is called E-mail." in page
    for binary in (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"PK\x03\x04\x14\0\x06\0",
        b"%PDF-1.7\n%\xe2\xe3",
        "domain,größe\n".encode("latin-1"),
    ):
        page = text_of(posted(client, binary))
        assert "This is no CSV file in UTF-8" in page and "\ufffd" not in page
    assert not EnrichmentUpload.objects.exists()


@pytest.mark.django_db
def test_progress_is_shown(client, marketer, monkeypatch):
    monkeypatch.setattr(enrichment, "AT_ONCE", 0)
    posted(client, "domain,size\na.example,1\n")
    kept = EnrichmentUpload.objects.get()
    client.post(reverse("admin:leads_enrichmentupload_use", args=[kept.pk]), {"column-1": "size"})
    page = client.get(reverse("admin:leads_enrichmentupload_change", args=[kept.pk]))
    assert "0 of 1 row done." in text_of(page)
    assert page["Refresh"] == "3"


@pytest.mark.django_db
def test_reps_and_managers_upload_nothing(client):
    manager = cast.colleague("max", "Sales manager", is_staff=True)
    client.force_login(manager)
    assert client.get(reverse("admin:leads_enrichmentupload_add")).status_code == 403
    kept = upload("domain,size\na.example,1\n")
    use = reverse("admin:leads_enrichmentupload_use", args=[kept.pk])
    assert client.post(use, {"column-1": "size"}).status_code == 403


@pytest.mark.django_db
def test_uploads_that_were_only_looked_at_are_forgotten():
    upload("domain,size\na.example,1\n")
    tasks.forget_unstarted_uploads()  # NOW is long ago
    assert not EnrichmentUpload.objects.exists()
