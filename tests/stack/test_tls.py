"""https: the certificate of `make cert`, and a renewed one."""

import socket
import ssl
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from engines.copies import free_port
from tests.checkouts import Checkout, variables
from tests.engines import engine, services

TLS = {"TLS_CERT": "tls/cert.pem", "TLS_KEY": "tls/key.pem"}


class Secured:
    """A checkout that serves https as well."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.port = free_port()
        self.variables = variables(TLS | {"HTTPS_PORT": str(self.port)})
        self.url = f"https://127.0.0.1:{self.port}"

    def make(self, verb: str) -> str:
        """Type `make`, with https on."""
        return self.checkout.make(verb, *self.variables)

    def handshake(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Return a connection made under `context`."""
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=20))

    def certificate(self) -> bytes:
        """Return the certificate that is shown, as DER."""
        with self.handshake(trusting()) as connection:
            return connection.getpeercert(binary_form=True) or b""


def trusting() -> ssl.SSLContext:
    """Return a context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture(scope="module")
def secured(checkout: Checkout) -> Iterator[Secured]:
    """A checkout with a certificate of its own; `make up` without one ends https."""
    secured = Secured(checkout)
    assert "make up:\nTLS_CERT=tls/cert.pem\nTLS_KEY=tls/key.pem" in checkout.make("cert")
    assert f"Ready: https://localhost:{secured.port}/" in secured.make("up")
    yield secured
    assert "Ready: http://localhost" in checkout.make("up")
    assert httpx.get(checkout.url).status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(secured.url, verify=trusting())
    assert not is_key_kept(checkout)


def is_key_kept(checkout: Checkout) -> bool:
    """Tell whether what nginx was handed is still there."""
    if engine() == "native":
        return (checkout.path / ".native" / "tls").exists()
    name = f"name={checkout.setting('COMPOSE_PROJECT_NAME')}_tls"
    return bool(subprocess.check_output(["docker", "volume", "ls", "--quiet", "--filter", name]))


@pytest.fixture
def https(secured: Secured) -> Iterator[httpx.Client]:
    """A client that trusts the certificate alone."""
    certificate = str(secured.checkout.path / "tls" / "cert.pem")
    with httpx.Client(base_url=secured.url, verify=ssl.create_default_context(cafile=certificate)) as client:
        yield client


def test_stack_is_served_by_https(https: httpx.Client) -> None:
    assert https.get("/api/notes").status_code == 200


def test_browser_is_told_to_come_by_https_only(https: httpx.Client) -> None:
    for path in ("/", "/api/notes", "/static/style.css", "/nowhere"):
        assert https.get(path).headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_leads_to_https_with_the_method(secured: Secured, method: str) -> None:
    answer = httpx.request(method, f"{secured.checkout.url}/api/notes?limit=3")
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{secured.url}/api/notes?limit=3"
    assert "Strict-Transport-Security" not in answer.headers


def test_http_2_is_spoken(secured: Secured) -> None:
    context = trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with secured.handshake(context) as connection:
        assert connection.selected_alpn_protocol() == "h2"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_old_protocol_is_refused(secured: Secured) -> None:
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        secured.handshake(context)


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA"])
def test_weak_cipher_is_refused(secured: Secured, cipher: str) -> None:
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    with pytest.raises(ssl.SSLError):
        secured.handshake(context)


def test_cookie_is_kept_off_plain_http(https: httpx.Client) -> None:
    [cookie] = https.get("/notes/new").headers.get_list("Set-Cookie")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_plain_http_on_the_port_of_https_is_told(secured: Secured) -> None:
    answer = httpx.get(f"http://127.0.0.1:{secured.port}/api/notes")
    assert answer.status_code == 400
    assert answer.json()["status"] == 400


def test_form_is_sent_by_https(https: httpx.Client) -> None:
    page = https.get("/notes/new")
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "title": "by https", "body": ""}
    sent = https.post("/notes", data=form, headers={"Referer": str(page.url)})
    assert sent.status_code == 303
    assert https.post("/notes", data=form, headers={"Referer": "https://evil.example/"}).status_code == 400


def test_challenge_of_a_certificate_authority_is_answered_by_http(secured: Secured) -> None:
    # As certbot --webroot does it.
    challenge = secured.checkout.path / "nginx" / "acme" / ".well-known" / "acme-challenge" / "a-token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("a-token.of-an-account")
    challenge.chmod(0o644)
    answer = httpx.get(f"{secured.checkout.url}/.well-known/acme-challenge/a-token")
    assert (answer.status_code, answer.text) == (200, "a-token.of-an-account")


def test_renewed_certificate_is_taken_up_without_a_restart(secured: Secured) -> None:
    before, running = secured.certificate(), services(secured.checkout)
    with httpx.Client(base_url=secured.url, verify=trusting()) as client:
        client.get("/healthz")
        secured.checkout.make("cert")
        run = secured.checkout.try_make("doctor", *secured.variables)
        assert "nginx serves another certificate than tls/cert.pem; type make reload" in run.stdout
        secured.make("reload")
        assert secured.certificate() != before
        assert client.get("/healthz").status_code == 200
    assert services(secured.checkout) == running


@pytest.fixture(scope="module")
def two_keys(checkout: Checkout) -> None:
    """Make a certificate and its key, and the key of another beside them."""
    checkout.make("cert", "name=www.example.com")
    (checkout.path / "tls" / "key.pem").rename(checkout.path / "other.pem")
    checkout.make("cert")


@pytest.mark.usefixtures("two_keys")
@pytest.mark.parametrize(
    ("cert", "key", "line"),
    [
        ("tls/cert.pem", "", ".env: of TLS_CERT and TLS_KEY only one is set"),
        ("tls/none.pem", "tls/key.pem", ".env: TLS_CERT=tls/none.pem cannot be read; make cert makes"),
        ("Makefile", "tls/key.pem", ".env: TLS_CERT=Makefile is no certificate in PEM"),
        ("tls/cert.pem", "tls/cert.pem", ".env: TLS_KEY=tls/cert.pem is no private key in PEM"),
        ("tls/cert.pem", "other.pem", ".env: TLS_KEY=other.pem is not the key of TLS_CERT=tls/cert.pem"),
    ],
)
def test_certificate_that_cannot_be_used_is_told(checkout: Checkout, cert: str, key: str, line: str) -> None:
    run = checkout.try_make("up", TLS_CERT=cert, TLS_KEY=key)
    assert run.returncode != 0
    assert f"make up: {line}" in run.stdout


def test_name_that_no_host_has_is_told(checkout: Checkout) -> None:
    run = checkout.try_make("cert", "name=a b")
    assert "make cert: name=a b is no host's name, such as www.example.com" in run.stdout


def test_key_is_for_its_owner_alone(checkout: Checkout) -> None:
    checkout.make("cert")
    assert (checkout.path / "tls" / "key.pem").stat().st_mode & 0o077 == 0
