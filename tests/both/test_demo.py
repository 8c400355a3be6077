"""make demo-login: the provider beside the stack."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.checkouts import Checkout
from tests.demo import begin, sign_in, sign_out


@pytest.fixture
def page(demo_page: Page) -> Page:
    return demo_page


def test_sign_in_out_and_in_again(page: Page) -> None:
    sign_in(page, at="/notes?limit=3")
    expect(page).to_have_url(re.compile(r"/notes\?limit=3$"))
    page.goto("/")
    expect(page.get_by_text("You are signed in as Ada Lovelace, ada@example.com.")).to_be_visible()
    sign_out(page)
    expect(page.get_by_text("You are signed in")).to_have_count(0)
    sign_in(page)


def test_demo_outlives_a_restart(demo: Checkout) -> None:
    demo.make("restart", TRUSTED_PROXIES="1")
    assert begin(demo.url)[0].startswith("http://localhost:")


def test_logs_of_the_provider_are_shown(demo: Checkout) -> None:
    assert "Booting worker" in demo.make("logs", "S=login")
