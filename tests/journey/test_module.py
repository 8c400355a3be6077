"""A module: made, migrated, used in a browser, and removed."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.checkouts import Checkout, remove_module
from tests.support import get, post, wait_until


@pytest.fixture(scope="module")
def library(checkout: Checkout) -> Iterator[Checkout]:
    """A checkout in which a module was made and migrated; both are undone."""
    checkout.make("module", "NAME=author", "FIELDS=name:string:unique:search born_on:date?:index")
    checkout.make("migrate")
    wait_until(lambda: get(f"{checkout.url}/api/authors").status_code == 200, "the authors to be served")
    assert post(f"{checkout.url}/api/authors", json={"name": "Ada Lovelace"}).status_code == 201
    yield checkout
    remove_module(checkout, "authors")
    checkout.make("migrate", "drop=yes")


def test_record_is_made_by_a_form_and_found(library: Checkout, browse: Callable[..., BrowserContext]) -> None:
    page = browse(library.url, provokes=(409,)).new_page()
    page.goto("/")
    page.get_by_role("link", name="Authors", exact=True).click()
    page.get_by_role("link", name="New author").click()
    page.get_by_label("Name").fill("Ursula K. Le Guin")
    page.get_by_label("Born on").fill("1929-10-21")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Ursula K. Le Guin")).to_be_visible()
    [found] = get(f"{library.url}/api/authors?q=ursula&born_on=1929-10-21").json()["items"]
    assert found["name"] == "Ursula K. Le Guin"


def test_removal_says_what_goes(library: Checkout) -> None:
    remove_module(library, "authors")
    refused = library.try_make("migrate")
    assert refused.returncode == 2
    assert re.search(r"the table authors with \d+ rows?", refused.stdout)
