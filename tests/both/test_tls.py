"""https: how certificate and challenges reach nginx."""

import httpx
import pytest

from tests.engines import services
from tests.secured import Secured, trusting
from tests.support import get, request


def test_stack_is_served_by_https(https: httpx.Client) -> None:
    assert https.get("/api/notes").status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_leads_to_https_with_the_method(secured: Secured, method: str) -> None:
    answer = request(method, f"{secured.checkout.url}/api/notes?limit=3")
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{secured.url}/api/notes?limit=3"
    assert "Strict-Transport-Security" not in answer.headers


def test_challenge_of_a_certificate_authority_is_answered_by_http(secured: Secured) -> None:
    # As certbot --webroot does it.
    challenge = secured.checkout.path / "nginx" / "acme" / ".well-known" / "acme-challenge" / "a-token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("a-token.of-an-account")
    challenge.chmod(0o644)
    answer = get(f"{secured.checkout.url}/.well-known/acme-challenge/a-token")
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
