from playwright.sync_api import Page, expect


def test_note_is_created_edited_and_deleted(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Notes", exact=True).click()
    page.get_by_role("link", name="New note").click()
    page.get_by_label("Title").fill("Rope")
    page.get_by_label("Body").fill("two\nlines")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Rope")).to_be_visible()
    expect(page.get_by_text("two\nlines")).to_be_visible()

    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Body")).to_have_value("two\nlines")
    page.get_by_label("Title").fill("Longer rope")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Longer rope")).to_be_visible()

    page.get_by_role("link", name="All notes").click()
    page.get_by_role("link", name="Longer rope").click()
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url("/notes")
    expect(page.get_by_role("link", name="Longer rope")).to_have_count(0)


def test_error_stands_beside_the_field_and_the_input_is_kept(page: Page) -> None:
    page.goto("/notes/new")
    page.get_by_label("Title").evaluate("field => field.removeAttribute('maxlength')")
    page.get_by_label("Title").fill("x" * 201)
    page.get_by_label("Body").fill("kept")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.get_by_role("button", name="Save").click()
    assert answer.value.status == 422
    expect(page.get_by_role("alert")).to_contain_text("200")
    expect(page.get_by_label("Body")).to_have_value("kept")
