"""https: the certificate of `make cert`, and a renewed one."""

import ssl

import httpx
import pytest

from tests.checkouts import Checkout
from tests.secured import Secured, trusting
from tests.support import get


def test_browser_is_told_to_come_by_https_only(https: httpx.Client) -> None:
    for path in ("/", "/api/notes", "/static/style.css", "/nowhere"):
        assert https.get(path).headers["Strict-Transport-Security"] == "max-age=31536000"


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
    answer = get(f"http://127.0.0.1:{secured.port}/api/notes")
    assert answer.status_code == 400
    assert answer.json()["status"] == 400


def test_form_is_sent_by_https(https: httpx.Client) -> None:
    page = https.get("/notes/new")
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "title": "by https", "body": ""}
    sent = https.post("/notes", data=form, headers={"Referer": str(page.url)})
    assert sent.status_code == 303
    assert https.post("/notes", data=form, headers={"Referer": "https://evil.example/"}).status_code == 400


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
