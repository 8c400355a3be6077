from flask.testing import FlaskClient


def test_index_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert 'src="/api/docs/swagger-ui-bundle.js"' in page
    assert "//" not in page.replace("<!doctype html>", "")


def test_asset_is_served(client: FlaskClient) -> None:
    answer = client.get("/api/docs/swagger-ui.css", buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, "text/css")
