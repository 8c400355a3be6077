"""Signing in with a provider that others wrote."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest

from app.gauth.identity import DISCOVERY
from tests.copies import free_port
from tests.support import is_served, wait_until
from tests.unit.app.gauth.conftest import Visitor

CLAIMS = {"sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada Lovelace"}


@pytest.fixture
def their_provider() -> Iterator[str]:
    """The URL of a running oidc-provider-mock."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen([*command, "--user-claims", json.dumps(CLAIMS)], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: is_served(f"{url}/jwks"), "oidc-provider-mock to answer")
    yield url
    process.terminate()
    process.wait()


def test_sign_in_with_a_provider_of_others(
    their_provider: str, visitor: Visitor, configure: Callable[..., None]
) -> None:
    # It takes id and secret as they are in the header, which RFC 6749 has encoded.
    configure(
        GAUTH_DISCOVERY_URL=their_provider + DISCOVERY, GAUTH_CLIENT_ID="client", GAUTH_CLIENT_SECRET="secret"
    )
    sent_back = httpx.post(visitor.leave("/notes"), data={"sub": "ada"})
    answer = visitor.client.get(sent_back.headers["Location"])
    assert answer.location == "/notes"
    assert visitor.client.get("/api/me").json["name"] == "Ada Lovelace"
