"""Signing in, in a browser, with the provider of `make demo-login`."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.checkouts import Checkout
from tests.support import get

Browse = Callable[..., BrowserContext]


@pytest.fixture
def demo_browser(browse: Browse, demo: Checkout) -> BrowserContext:
    """A browser at the demo."""
    return browse(demo.url.replace("127.0.0.1", "localhost"), provokes=(400, 403))


@pytest.fixture
def demo_page(demo_browser: BrowserContext) -> Page:
    """A page of the demo."""
    return demo_browser.new_page()


def sign_in(page: Page, name: str = "Ada Lovelace", at: str = "/") -> None:
    page.goto(at)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("group").get_by_text(name)).to_be_visible()


def sign_out(page: Page, name: str = "Ada Lovelace", button: str = "Sign out") -> None:
    page.get_by_role("group").get_by_text(name).click()
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def begin(url: str) -> tuple[str, dict[str, str]]:
    """Begin to sign in; return the URL at the provider, and the cookies."""
    answer = get(f"{url}/gauth/login")
    return answer.headers["Location"], dict(answer.cookies)
