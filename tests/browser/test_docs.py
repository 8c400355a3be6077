from playwright.sync_api import Page, expect


def test_api_is_tried_from_its_page(page: Page) -> None:
    page.goto("/api/docs")
    page.get_by_role("button", name="List notes").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").nth(1)).to_contain_text("200")
