"""Signing in through nginx, in a real browser, with the provider of `make demo-login`."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.vnu import faults
from tests.checkouts import Checkout
from tests.demo import begin, sign_in, sign_out
from tests.support import get, post

Browse = Callable[..., BrowserContext]


@pytest.fixture
def page(demo_page: Page) -> Page:
    return demo_page


def test_going_back_after_signing_out_shows_nothing_of_the_session(page: Page) -> None:
    sign_in(page)
    page.goto("/notes")
    sign_out(page)
    page.go_back()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_cancelling_at_the_provider_is_told(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("the sign-in was cancelled")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_second_account_is_chosen_after_signing_out(page: Page) -> None:
    sign_in(page)
    sign_out(page)
    sign_in(page, "Grace Hopper")
    expect(page.get_by_text("grace@example.org.")).to_be_visible()


def test_two_tabs_sign_in_at_once(demo_browser: BrowserContext) -> None:
    tabs = [demo_browser.new_page(), demo_browser.new_page()]
    for tab, path in zip(tabs, ("/notes", "/api/docs"), strict=True):
        tab.goto(path)
        tab.get_by_role("link", name="Sign in").click()
    for tab, path in zip(tabs, ("/notes", "/api/docs"), strict=True):
        tab.get_by_role("button", name="Ada Lovelace").click()
        expect(tab).to_have_url(re.compile(f"{path}$"))
        expect(tab.get_by_role("group").get_by_text("Ada Lovelace")).to_be_visible()


def test_sign_out_everywhere_signs_the_other_browser_out(browse: Browse, page: Page, demo: Checkout) -> None:
    other = browse(demo.url.replace("127.0.0.1", "localhost")).new_page()
    sign_in(page)
    sign_in(other)
    sign_out(page, button="Sign out everywhere")
    other.reload()
    expect(other.get_by_role("link", name="Sign in")).to_be_visible()


def test_forged_request_of_a_session_is_refused(page: Page) -> None:
    sign_in(page)
    status = page.evaluate("""async () => (await fetch("/api/notes", {
        method: "POST", headers: {"Content-Type": "application/json"}, body: '{"title": "forged"}'
    })).status""")
    assert status == 400


def test_api_page_writes_for_who_is_signed_in(page: Page) -> None:
    sign_in(page, at="/api/docs")
    page.get_by_role("button", name="Create a note").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.locator("textarea.body-param__text").fill('{"title": "from the API page"}')
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").nth(1)).to_contain_text("201")


def choose(url: str, email: str) -> str:
    """Choose an account at the provider; return the URL that it sends the browser to."""
    return post(url, data={"email": email}).headers["Location"]


@pytest.fixture
def id_token(demo: Checkout) -> str:
    """An ID token of Ada's, as an app gets it from the provider by itself."""
    provider = begin(demo.url)[0].partition("/authorize")[0]
    return str(get(f"{provider}/id-token?nonce=n-1").json()["id_token"])


def test_id_token_is_exchanged_by_a_script_of_the_page(page: Page, id_token: str) -> None:
    page.goto("/")
    me = page.evaluate(
        """async (body) => {
            const headers = {"Content-Type": "application/json"};
            const answer = await fetch("/gauth/token", {method: "POST", headers, body: JSON.stringify(body)});
            const {token} = await answer.json();
            return (await fetch("/api/me", {headers: {Authorization: `Bearer ${token}`}})).json();
        }""",
        {"id_token": id_token, "nonce": "n-1"},
    )
    assert me["email"] == "ada@example.com"


def test_new_user_who_signs_in_many_times_at_once_is_one(demo: Checkout) -> None:
    begun = [begin(demo.url) for _ in range(6)]
    backs = [choose(url, "new@example.com") for url, _ in begun]

    def finish(number: int) -> int:
        with httpx.Client(cookies=begun[number][1]) as client:
            client.get(backs[number])
            return int(client.get(f"{demo.url}/api/me").json()["id"])

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(finish, range(6)))) == 1


def test_pages_of_who_is_signed_in_and_of_the_provider_are_valid(
    demo: Checkout, tmp_path: Path, node_modules: None
) -> None:
    url, cookies = begin(demo.url)
    pages = {"the provider": get(url).text}
    with httpx.Client(base_url=demo.url, cookies=cookies) as client:
        pages["cancelled"] = client.get(choose(url, "")).text
    url, cookies = begin(demo.url)
    with httpx.Client(base_url=demo.url, cookies=cookies) as client:
        client.get(choose(url, "ada@example.com"))
        pages |= {path: client.get(path).text for path in ("/", "/notes", "/api/docs")}
    assert "Sign out" in pages["/"]
    assert faults(pages, tmp_path) == []


def test_demo_is_refused_beside_a_provider(demo: Checkout) -> None:
    run = demo.try_make("demo-login", GAUTH_CLIENT_ID="mine")
    assert run.returncode == 2
    assert "GAUTH_CLIENT_ID names a provider already" in run.stdout


@pytest.mark.parametrize("settings", ["config.ProductionConfig", "config.StagingConfig"])
def test_demo_is_refused_outside_development(demo: Checkout, settings: str) -> None:
    run = demo.try_make("demo-login", APP_SETTINGS=settings, COMPOSE_FILE="docker-compose.yml")
    assert run.returncode == 2
    assert f"it is for development alone, and this is APP_SETTINGS={settings}" in run.stdout


def test_misspelt_setting_is_named(demo: Checkout) -> None:
    path = demo.path / ".env"
    settings = path.read_text()
    path.write_text(f"{settings}GAUTH_ALOWED=example.com\n")
    run = demo.try_make("up")
    path.write_text(settings)
    assert run.returncode == 2
    assert ".env: there is no setting GAUTH_ALOWED" in run.stdout


def test_limit_is_for_each_client_before_the_trusted_proxy(demo: Checkout) -> None:
    def ask(client: str) -> int:
        return get(f"{demo.url}/gauth/login", headers={"X-Forwarded-For": f"192.0.2.9, {client}"}).status_code

    assert 429 in (ask("192.0.2.1") for _ in range(500))
    assert ask("192.0.2.2") == 302


def test_code_is_in_no_log(demo: Checkout, page: Page) -> None:
    sign_in(page)
    logs = demo.make("logs", "S=web nginx")
    assert "/gauth/callback" in logs
    assert not re.search(r"/gauth/\S*code=", logs)


def test_demo_is_repeated_without_another_provider(demo: Checkout) -> None:
    before = begin(demo.url)[0].partition("/authorize")[0]
    demo.make("demo-login", TRUSTED_PROXIES="1")
    assert begin(demo.url)[0].partition("/authorize")[0] == before
