import re

import pytest

from nurturing import mail
from nurturing.enrollment import enroll
from nurturing.letter import BadTemplate, compiled
from nurturing.models import EmailTemplate, Touch, TrackedLink
from nurturing.tests.cast import MONDAY, acme, program, sarah, template

pytestmark = pytest.mark.django_db

MJML = """<mjml><mj-head><mj-style inline="inline">.go { color: #123456 }</mj-style></mj-head><mj-body><mj-section><mj-column>
<mj-text>Dear {{ lead.first_name }}{% if lead.country == "DE" %}, in Germany{% endif %}</mj-text>
<mj-button href="https://acme.example/{{ lead.country | downcase }}">Go</mj-button>
</mj-column></mj-section></mj-body></mjml>"""


def rendered(body, *, subject="Hello", **values):
    person = sarah(**values)
    enroll(lead_ids=[person.pk], at=MONDAY, program=program(steps=[template("t", subject, body)]))
    touch = Touch.objects.select_related("lead__company", "step__template").get()
    message = mail.render(touch.step.template, touch.lead, touch)
    return message, message.alternatives[0][0], touch


def test_it_works():
    message, html, touch = rendered(
        "Hello {{ lead.first_name }} of {{ company.name }},\n\nsee https://acme.example/roi", company=acme()
    )
    assert message.to == ["sarah@buyer.net"]
    assert "Hello Sarah of Acme," in message.body and "Hello Sarah of Acme,</p>" in html
    link = TrackedLink.objects.get()
    assert link.url == "https://acme.example/roi"
    assert f'href="http://127.0.0.1:8000/r/{link.token}/"' in html
    assert f"http://127.0.0.1:8000/r/{link.token}/" in message.body
    assert len(link.token) >= 22 and len(touch.link_token) >= 22  # 128 bits and more


def test_the_way_out_and_the_address_are_always_there():
    message, html, touch = rendered("Hello")
    way_out = f"http://127.0.0.1:8000/u/{touch.link_token}/"
    assert f'href="{way_out}"' in html and f"Unsubscribe: {way_out}" in message.body
    assert "1 High Street" in html and "1 High Street" in message.body
    assert message.extra_headers["List-Unsubscribe"] == f"<{way_out}>"
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_template_with_its_own_way_out_gets_no_second_one():
    message, _, touch = rendered("Hello. Leave: {{ unsubscribe_url }}")
    assert message.body.count(touch.link_token) == 1


def test_mjml_with_liquid_inside():
    message, html, _ = rendered(MJML, country="DE")
    assert "Dear Sarah, in Germany" in html and "Dear Sarah, in Germany" in message.body
    assert "{%" not in html + message.body and "mj-" not in re.sub(r"mj-(column|outlook)", "", html)
    assert TrackedLink.objects.get().url == "https://acme.example/de"


def test_message_id_is_stable_and_holds_no_secret():
    message, _, touch = rendered("Hello")
    again = mail.render(touch.step.template, touch.lead, touch)
    assert message.extra_headers["Message-ID"] == again.extra_headers["Message-ID"]
    assert touch.link_token not in message.extra_headers["Message-ID"]
    assert message.extra_headers["X-Touch-ID"] == str(touch.pk)


def test_a_second_try_keeps_the_same_links():
    _, html, touch = rendered("See https://acme.example/roi")
    again = mail.render(touch.step.template, touch.lead, touch)
    assert again.alternatives[0][0] == html
    assert TrackedLink.objects.count() == 1


@pytest.mark.parametrize(
    "name",
    [
        "{{7*7}}",
        "{{ lead.email }}",
        "{% for i in (1..9) %}x{% endfor %}",
        "__class__",
        "%s {0} ${7*7}",
        "{{ lead.__class__ }}",
    ],
)
def test_values_are_never_looked_at_again(name):
    message, html, _ = rendered(
        "Hello {{ lead.first_name }}!", subject="For {{ lead.first_name }}", first_name=name
    )
    assert f"Hello {name}!" in message.body
    assert message.subject == f"For {name}"
    assert "49" not in html and "sarah@buyer.net" not in message.body


def test_html_in_values_stays_text():
    _, html, _ = rendered(MJML, first_name='<script>alert(1)</script>"><a href="/evil.net">')
    assert "<script" not in html and "evil.net&#34;" in html
    assert not TrackedLink.objects.filter(url__contains="evil").exists()


@pytest.mark.parametrize(
    "nasty", ["x\r\nBcc: evil@evil.net", "x\nTo: evil@evil.net", "x\0y", "x\u2028Bcc: evil@evil.net"]
)
def test_no_line_gets_into_a_header(nasty):
    message, _, _ = rendered(
        "Hello",
        subject=nasty.replace("\0", "") + " {{ lead.first_name }}",
        first_name=nasty.replace("\0", ""),
    )
    head = message.message().as_bytes().split(b"\n\n")[0]
    assert b"\nBcc:" not in head and head.count(b"\nTo:") == 1
    assert message.recipients() == ["sarah@buyer.net"]


@pytest.mark.parametrize(
    "address", ["a@b.net,c@d.net", "a@b.net\nc@d.net", "a b@c.net", "<a@b.net>", "nobody", "", "a@b@c.net"]
)
def test_an_address_that_is_not_exactly_one_is_refused(address):
    with pytest.raises(BadTemplate, match="cannot be mailed"):
        mail.deliverable(address)


def test_only_web_addresses_are_followed():
    body = """<mjml><mj-body><mj-section><mj-column><mj-text>
    <a href="javascript:alert(1)">a</a> <a href="mailto:x@acme.example">b</a> <a href="data:text/html,x">c</a>
    <a href="ftp://acme.example/">d</a> <a href="https://acme.example/ok">e</a> <a href="/relative">f</a></mj-text></mj-column></mj-section></mj-body></mjml>"""
    _, html, _ = rendered(body)
    assert "javascript:" not in html and "data:text" not in html and "ftp:" not in html
    assert 'href="mailto:x@acme.example"' in html
    assert [link.url for link in TrackedLink.objects.all()] == ["https://acme.example/ok"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Hello {{ lead.frist_name }}", "frist_name"),
        ("Hello {{ lead.first_name", "Template"),
        ("{% if lead.country %}never closed", "Template"),
        ("{{ lead.first_name | no_such_filter }}", "no_such_filter"),
        ("{% for i in (1..1000000000) %}x{% endfor %}", "Ranges"),
        (f"{{% assign all = '{'a,' * 1_100}' | split: ',' %}}{{% for a in all %}}x{{% endfor %}}", "loop"),
        ("<mjml><mj-body><mj-sektion></mj-sektion></mj-body></mjml>", "mj-sektion"),
        ("<mjml><mj-body><mj-section></mj-body></mjml>", "closed"),
        ("<mjml><mj-body><mj-include path='/etc/passwd' /></mj-body></mjml>", "mj-include"),
        ("<mjml><mj-body><mj-raw><script>x</script></mj-raw></mj-body></mjml>", "scripts"),
        ("{% include 'secrets' %}", "secrets"),
    ],
)  # fmt: skip
def test_a_bad_template_is_named_in_words(body, words):
    problems = mail.check(template("bad", "Hello", body))
    assert len(problems) == 1 and words in problems[0] and "“Bad”" in problems[0]


def test_a_good_template_has_no_problems():
    assert mail.check(template()) == [] and mail.check(template("m", "{{ lead.first_name }}", MJML)) == []


@pytest.mark.parametrize(
    "name", ["Win at https://evil.test", "www.evil.test", "evil.test/win", "HTTP://EVIL.TEST"]
)
def test_a_name_that_leads_somewhere_is_not_said(name):
    body = (
        "Dear {{ lead.first_name }} {{ lead.last_name | default: 'colleague' }} of {{ company.name }}, hello"
    )
    message, html, _ = rendered(body, subject="For {{ lead.first_name }}", first_name=name, last_name=name)
    assert "evil" not in f"{message.subject} {message.body} {html}".lower()
    assert "colleague" in message.body and not TrackedLink.objects.exists()


def test_a_name_with_a_dot_is():
    message, _, _ = rendered(
        "Dear {{ lead.first_name }} {{ lead.last_name }}",
        first_name="Dr.Ada",
        last_name="St. John-Smith Jr./II",
    )
    assert "Dear Dr.Ada St. John-Smith Jr./II" in message.body


def in_columns(inner):
    return f"<mjml><mj-body><mj-section><mj-column>{inner}</mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (in_columns(f"<mj-text>{'<b>' * 20_000}x{'</b>' * 20_000}</mj-text>"), "more than 100 deep"),
        ("x" * 200_001, "longer than 200,000"),
        ("{{" * 90_000, "more than 1,000 Liquid tags"),
        ("{{ (1..900000000) | join: '' }}", "Ranges"),
        ("{% if (1..lead.company_size) contains 'a' %}x{% endif %}", "Ranges"),
        (f"{{{{ '{'a' * 20_000}' | replace: 'a', '{'b' * 20_000}' }}}}", "too long"),
        (f"{{{{ '{'a,' * 5_000}' | split: ',' | join: '{'b' * 20_000}' }}}}", "too long"),
        (f"{{{{ 'aaaaaaaaaa' {'| base64_encode ' * 90} }}}}", "too long"),
        ("{{ lead.first_name | ceil }}", "cannot be computed"),
    ],
    ids=range(9),
)
def test_what_would_take_the_machine_down_is_refused_in_words(body, words):
    written = EmailTemplate(name="t", subject="x", body=body)
    with pytest.raises(BadTemplate, match=words):
        compiled(written).render(mail.sample_values() | {"lead": {"first_name": "inf", "company_size": 9}})


def test_what_is_within_bounds_is_not():
    body = in_columns(
        f"""<mj-text>{"<b>" * 80}Dear {{{{ lead.nobody | default: "you ..." | truncate: 20, '...' }}}}{"</b>" * 80}</mj-text>"""
        + '<mj-image src="https://acme.example/i.png" /><mj-text>a<br>b</mj-text>' * 110
    )
    _, html, text = compiled(EmailTemplate(name="t", subject="x", body=body)).render(mail.sample_values())
    assert "Dear you ..." in html and "Dear you ..." in text
