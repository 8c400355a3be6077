"""A real Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.engines import Stack
from tests.support import cannot_run

NAMES = ("chromium", "chromium-browser", "google-chrome")
# The sandbox needs rights that containers and root do not have; the rest keeps Chromium from calling home.
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine (CHROMIUM names another)."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not path:
        cannot_run("there is no Chromium here (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Return a function that opens a browser of its own; an error on a console of its pages fails the test.

    The statuses of HTTP that the test `provokes` are none.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_browser(url: str, provokes: tuple[int, ...] = (), **options: Any) -> BrowserContext:
        context = chromium.new_context(base_url=url, **options)
        contexts.append(context)

        def note(message: ConsoleMessage) -> None:
            provoked = any(f"status of {status}" in message.text for status in provokes)
            if message.type == "error" and not provoked:
                errors.append(message.text)

        context.on("console", note)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        return context

    yield open_browser
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(browse: Callable[..., BrowserContext], stack: Stack) -> Page:
    """A page of the stack."""
    return browse(stack.url, provokes=(422,)).new_page()
