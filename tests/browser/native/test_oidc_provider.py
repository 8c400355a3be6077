"""Signing in, in a browser, with a certified OpenID provider at its defaults; no container would reach it."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from playwright.sync_api import BrowserContext, Page, expect

from app.gauth.identity import DISCOVERY
from tests.checkouts import Checkout
from tests.copies import free_port
from tests.node import FOLDER
from tests.support import is_served, post, wait_until

SECRET = "s+e/c=r%t &"
VERIFIER = "v" * 43


class Provider:
    """The provider on a port of its own, for the web at the URL `site` and for an app."""

    def __init__(self, site: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        clients = [
            {"client_id": "the web", "client_secret": SECRET, "redirect_uris": [f"{site}/gauth/callback"]},
            {"client_id": "app", "token_endpoint_auth_method": "none", "redirect_uris": [f"{site}/"]},
        ]
        self.command = ["node", "oidc_provider.mjs", str(port), json.dumps(clients)]

    def start(self) -> None:
        """Start it, with a key that it has never had."""
        self.process = subprocess.Popen(self.command, cwd=FOLDER, stderr=subprocess.DEVNULL)
        wait_until(self.answers, "the provider answers")

    def answers(self) -> bool:
        """Tell whether it answers."""
        assert self.process.poll() is None
        return is_served(f"{self.url}/jwks")

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="module")
def provider(checkout: Checkout, node_modules: None) -> Iterator[Provider]:
    """The provider that the checkout signs people in by."""
    provider = Provider(checkout.url)
    provider.start()
    try:
        checkout.make(
            "up",
            GAUTH_DISCOVERY_URL=provider.url + DISCOVERY,
            GAUTH_CLIENT_ID="the web",
            GAUTH_CLIENT_SECRET=SECRET,
            GAUTH_AUDIENCES="app",
        )
        yield provider
        checkout.make("up")
    finally:
        provider.stop()


@pytest.fixture
def visit(
    browse: Callable[..., BrowserContext], checkout: Checkout, provider: Provider
) -> Callable[[], Page]:
    """Return a function that opens a page of the checkout; the font of the provider is not fetched."""

    def visit() -> Page:
        browser = browse(checkout.url, provokes=(403,))
        browser.route("https://fonts.googleapis.com/**", lambda route: route.fulfill(body=""))
        return browser.new_page()

    return visit


def sign_in(page: Page, name: str) -> None:
    """Sign in at the provider, from a page of the checkout."""
    page.goto("/notes")
    page.get_by_role("link", name="Sign in").click()
    log_in(page, name)
    expect(page).to_have_url(re.compile("/notes$"))
    expect(page.get_by_role("group").get_by_text(name, exact=True)).to_be_visible()


def log_in(page: Page, name: str) -> None:
    """Log in at the provider, and consent."""
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_sign_in_outlives_a_change_of_keys(visit: Callable[[], Page], provider: Provider) -> None:
    page = visit()
    sign_in(page, "ada")
    provider.stop()
    provider.start()
    sign_in(visit(), "grace")
    page.reload()
    expect(page.get_by_role("group").get_by_text("ada", exact=True)).to_be_visible()


def test_cancelling_is_told(visit: Callable[[], Page]) -> None:
    page = visit()
    page.goto("/gauth/login")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("the sign-in was cancelled")).to_be_visible()


def test_tokens_of_an_app_are_exchanged(
    visit: Callable[[], Page], checkout: Checkout, provider: Provider
) -> None:
    page, home = visit(), f"{checkout.url}/"
    asked = {
        "client_id": "app",
        "response_type": "code",
        "redirect_uri": home,
        "scope": "openid email profile",
        "nonce": "n-1",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    page.goto(str(httpx.URL(f"{provider.url}/auth", params=asked)))
    log_in(page, "ada")
    expect(page).to_have_url(re.compile("code="))
    form = {
        "grant_type": "authorization_code",
        "client_id": "app",
        "redirect_uri": home,
        "code": httpx.URL(page.url).params["code"],
        "code_verifier": VERIFIER,
    }
    issued = post(f"{provider.url}/token", data=form).json()
    shown = {name: issued[name] for name in ("id_token", "access_token")}
    answer = post(f"{checkout.url}/gauth/token", json=shown | {"nonce": "n-1"})
    assert (answer.status_code, answer.json()["user"]["email"]) == (201, "ada@example.com")
