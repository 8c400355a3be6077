"""The demo provider says no where a provider must."""

from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from tests.unit.app.gauth.conftest import Provider

VERIFIER = "v" * 48
CALLBACK = "http://localhost/gauth/callback"


def code_of(provider: Provider) -> str:
    """Return a code that the provider has sent the browser back with."""
    asked = {"client_id": provider.client[0], "redirect_uri": CALLBACK, "state": "s"}
    asked["code_challenge"] = create_s256_code_challenge(VERIFIER)
    answer = httpx.post(f"{provider.issuer}/authorize", params=asked, data={"email": "a@example.com"})
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def redeem(provider: Provider, credentials: tuple[str, str] | None = None, **form: str) -> httpx.Response:
    form = {"redirect_uri": CALLBACK, "code_verifier": VERIFIER} | form
    name, secret = map(quote_plus, credentials or provider.client)
    return httpx.post(f"{provider.issuer}/token", data=form, auth=(name, secret))


def test_code_without_a_challenge_is_refused(provider: Provider) -> None:
    code = provider.grant("a@example.com", {"redirect_uri": CALLBACK})
    assert redeem(provider, code=code).status_code == 400


def test_code_is_good_once(provider: Provider) -> None:
    code = code_of(provider)
    assert [redeem(provider, code=code).status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize("changes", [{"code_verifier": "x"}, {"redirect_uri": "http://a.org/"}, {"code": ""}])
def test_code_is_good_for_who_asked_only(provider: Provider, changes: dict[str, str]) -> None:
    answer = redeem(provider, None, **{"code": code_of(provider)} | changes)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def test_client_secret_is_compared(provider: Provider) -> None:
    assert redeem(provider, (provider.client[0], "x"), code=code_of(provider)).status_code == 401


@pytest.mark.parametrize(
    "query", ["", "client_id=a+client", "client_id=another&redirect_uri=http://localhost/"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_request_of_another_app_is_refused(provider: Provider, method: str, query: str) -> None:
    assert httpx.request(method, f"{provider.issuer}/authorize?{query}").status_code == 400
