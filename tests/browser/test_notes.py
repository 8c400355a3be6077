from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.axe import barriers
from tests.browser.vnu import faults
from tests.engines import Stack

Browse = Callable[..., BrowserContext]


@pytest.fixture
def note(stack: Stack) -> str:
    """The path of a note."""
    created = stack.http.post("/api/notes", json={"title": "Rope " + "x" * 80, "body": "20 m"})
    return f"/notes/{created.json()['id']}"


def test_list_is_sorted_and_paged_through(page: Page, stack: Stack) -> None:
    for letter in "bac":
        stack.http.post("/api/notes", json={"title": f"Sorted {letter}"}).raise_for_status()
    page.goto("/notes?q=sorted&limit=2")
    titles = page.get_by_role("rowheader")
    expect(titles).to_have_text(["Sorted c", "Sorted a"])
    page.get_by_role("columnheader").get_by_role("link", name="Title").click()
    expect(titles).to_have_text(["Sorted a", "Sorted b"])
    page.get_by_role("link", name="Next page").click()
    expect(titles).to_have_text(["Sorted c"])
    page.get_by_role("link", name="First page").click()
    expect(titles).to_have_text(["Sorted a", "Sorted b"])


def test_error_stands_beside_the_field_and_the_input_is_kept(page: Page) -> None:
    page.goto("/notes/new")
    page.get_by_label("Title").evaluate("field => field.removeAttribute('maxlength')")
    page.get_by_label("Title").fill("x" * 201)
    page.get_by_label("Body").fill("kept")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.get_by_role("button", name="Save").click()
    assert answer.value.status == 422
    expect(page.get_by_role("alert")).to_contain_text("200")
    expect(page.get_by_label("Title")).to_have_accessible_description("Length must be between 1 and 200.")
    expect(page.get_by_label("Body")).to_have_value("kept")


def test_note_is_made_by_keyboard(page: Page) -> None:
    page.goto("/notes")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="New note")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New note")).to_be_visible()
    page.get_by_label("Title").focus()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By keyboard")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_barriers(browse: Browse, stack: Stack, note: str, scheme: str) -> None:
    page = browse(stack.url, provokes=(404, 422), color_scheme=scheme).new_page()
    paths = ("/", "/notes", "/notes?q=nothing", "/notes/new", note, f"{note}/edit", f"{note}/delete")
    for path in (*paths, "/notes/0"):
        page.goto(path)
        assert barriers(page) == []
    page.goto("/notes/new")
    page.locator("form").evaluate("form => { form.noValidate = true; form.submit() }")
    expect(page.get_by_role("alert")).to_be_visible()
    assert barriers(page) == []


def test_pages_fit_a_narrow_screen(browse: Browse, stack: Stack, note: str) -> None:
    page = browse(stack.url, viewport={"width": 320, "height": 640}).new_page()
    for path in ("/", "/notes", "/notes/new", note, f"{note}/delete"):
        page.goto(path)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 320, path


def test_pages_are_valid(stack: Stack, note: str, tmp_path: Path, node_modules: None) -> None:
    paths = (
        "/",
        "/notes",
        "/notes?q=nothing",
        "/notes?sort=title&limit=1",
        "/notes/new",
        note,
        f"{note}/edit",
    )
    pages = {path: stack.http.get(path).text for path in (*paths, f"{note}/delete", "/notes/0", "/api/docs")}
    pages["a form that is refused"] = stack.http.post("/notes", data={"title": ""}).text
    assert faults(pages, tmp_path) == []
