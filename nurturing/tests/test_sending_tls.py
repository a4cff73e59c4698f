"""Mail over TLS as EMAIL_URL asks for it, by STARTTLS or from the first byte, with a login; and what becomes of mail when one is refused."""

import runpy
import shutil
import ssl
import subprocess

import pytest
from aiosmtpd.smtp import AuthResult
from django.core.exceptions import ImproperlyConfigured

from nurturing import sending, touches
from nurturing.models import Touch
from nurturing.tests.cast import MONDAY
from nurturing.tests.sink import Server, Sink
from nurturing.tests.test_sending import MINUTE, start, the_touch

pytestmark = [
    pytest.mark.django_db,
    # The certificate has to fail before a login is asked for, not because one is.
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
]
ACCOUNT = ("news@acme.test", "p@ss:w/rd")
TAKEN = (
    "EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS", "EMAIL_USE_SSL",
)  # fmt: skip


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """The path of a self-signed certificate for `localhost`, its key beside it."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("no openssl here to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "openssl.cnf").write_text(
        "[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n[dn]\nCN=localhost\n"
        "[v3]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:TRUE\n"
    )
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-config", "openssl.cnf", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"


@pytest.fixture
def trust(certificate, monkeypatch):
    """trust() → from now on as where an operator trusts a private authority."""
    return lambda: monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def login(server, session, envelope, mechanism, auth):
    right = (auth.login.decode(), auth.password.decode()) == ACCOUNT
    return AuthResult(success=right, handled=False)  # aiosmtpd answers


@pytest.fixture
def serve(certificate):
    """serve(scheme) → a Server that takes mail from ACCOUNT only, over TLS only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    hows = {
        "smtp+tls": {"tls_context": context, "require_starttls": True},
        "smtp+ssl": {"ssl": context, "auth_require_tls": False},  # it is there before aiosmtpd looks
    }
    started = []

    def of(scheme):
        server = Server(Sink(), authenticator=login, auth_required=True, **hows[scheme])
        server.start()
        assert server.ready.wait(60)
        started.append(server)
        return server

    yield of
    for server in started:
        server.stop()


@pytest.fixture
def read(settings, monkeypatch):
    """read(url) → what the product's settings make of EMAIL_URL."""

    def of(url):
        monkeypatch.setenv("EMAIL_URL", url)
        return runpy.run_path(str(settings.BASE_DIR / "leadmgmt/settings.py"))

    return of


@pytest.fixture
def use(settings, read):
    """use(url): from now on mail leaves as EMAIL_URL says; pytest-django has put its own backend there."""

    def of(url):
        said = read(url)
        for name in TAKEN:
            setattr(settings, name, said[name])
        settings.EMAIL_TIMEOUT = 60

    return of


def address(scheme, server, account="news%40acme.test:p%40ss%3Aw%2Frd", host="localhost"):
    return f"{scheme}://{account}@{host}:{server.port}"


def arrived(server):
    return sorted(mail["To"] for mail in server.sink.mails)


@pytest.mark.parametrize("scheme", ["smtp+tls", "smtp+ssl"])
def test_it_works(serve, use, trust, scheme):
    server = serve(scheme)
    trust()
    use(address(scheme, server))
    start("anna", "ben")
    touches.perform_due(at=MONDAY)
    assert arrived(server) == ["anna@buyer.net", "ben@buyer.net"]
    assert server.sink.over_tls == [True, True]
    assert set(Touch.objects.values_list("status", "reason")) == {("sent", "250 2.0.0 Taken")}


@pytest.mark.parametrize("scheme", ["smtp+tls", "smtp+ssl"])
@pytest.mark.parametrize(
    ("trusted", "wrong", "said"),
    [
        (False, {}, "CERTIFICATE_VERIFY_FAILED"),
        (True, {"host": "127.0.0.1"}, "IP address mismatch"),
        (True, {"account": "news%40acme.test:wrong"}, "535"),
        (True, {"account": "news%40acme.test:p%C3%A4ss"}, "ascii"),  # smtplib cannot even say it
    ],
    ids=["unknown authority", "another host", "wrong password", "password beyond ASCII"],
)
def test_what_is_refused_is_tried_again_and_nothing_is_lost(serve, use, trust, scheme, trusted, wrong, said):
    server = serve(scheme)
    if trusted:
        trust()
    use(address(scheme, server, **wrong))
    start("anna", "ben")
    at = MONDAY
    for _ in range(len(sending.BACKOFF) + 2):  # more often than a mail may be refused before it fails
        touches.perform_due(at=at)
        assert set(Touch.objects.values_list("status", "attempts")) == {("due", 0)}
        assert all(MINUTE <= touch.due_at - at < 2 * MINUTE for touch in Touch.objects.all())
        at += 2 * MINUTE
    assert arrived(server) == []
    reason = the_touch("anna").reason
    assert reason.startswith("could not connect: ") and said in reason

    trust()
    use(address(scheme, server))
    touches.perform_due(at=at)
    assert arrived(server) == ["anna@buyer.net", "ben@buyer.net"]


def test_a_server_that_offers_no_tls_gets_neither_login_nor_mail(settings, sink, use):
    use(f"smtp+tls://user:word@localhost:{settings.EMAIL_PORT}")
    start("anna")
    touches.perform_due(at=MONDAY)
    assert sink.mails == []
    assert the_touch("anna").status == "due" and "STARTTLS" in the_touch("anna").reason


@pytest.mark.parametrize(
    ("url", "port", "by_starttls", "from_first_byte"),
    [
        ("smtp+tls://mail.example", 587, True, False),
        ("smtp+ssl://mail.example", 465, False, True),
        ("smtp+ssl://mail.example:8465", 8465, False, True),
        ("smtp://mail.example", 25, False, False),
    ],
)
def test_the_scheme_says_how_and_where(read, url, port, by_starttls, from_first_byte):
    said = read(url)
    assert (said["EMAIL_HOST"], said["EMAIL_PORT"]) == ("mail.example", port)
    assert (said["EMAIL_USE_TLS"], said["EMAIL_USE_SSL"]) == (by_starttls, from_first_byte)


@pytest.mark.parametrize(
    "url", ["nonsense", "smtp+tls://", "smtps://mail.example", "smtp+ssl://u:secret@h:x"]
)
def test_nonsense_in_the_address_stops_the_start_and_shows_no_password(read, url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must name a mail server: smtp") as refusal:
        read(url)
    assert "secret" not in str(refusal.value)
