"""The pages of the notes in a browser, with and without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.engines import Stack

Browse = Callable[..., BrowserContext]


@pytest.mark.parametrize("scripts", [True, False])
def test_note_is_created_found_edited_and_deleted(browse: Browse, stack: Stack, scripts: bool) -> None:
    page = browse(stack.url, java_script_enabled=scripts).new_page()
    page.goto("/")
    page.get_by_role("link", name="Notes", exact=True).click()
    page.get_by_role("link", name="New note").click()
    page.get_by_label("Title").fill("Mooring line")
    page.get_by_label("Body").fill("two\nlines")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Mooring line")).to_be_visible()
    expect(page.get_by_text("two\nlines")).to_be_visible()

    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Body")).to_have_value("two\nlines")
    page.get_by_label("Title").fill("Longer mooring line")
    page.get_by_role("button", name="Save").click()

    page.get_by_role("link", name="All notes").click()
    page.get_by_label("Search").fill("mooring long")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Longer mooring line").click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete Longer mooring line?")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url("/notes")
    page.goto("/notes?q=mooring")
    expect(page.get_by_text("No notes are found.")).to_be_visible()
