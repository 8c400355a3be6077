import pytest
from flask.testing import FlaskClient


def test_index_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert 'src="/api/docs/swagger-ui-bundle.js"' in page
    assert "//" not in page.replace("<!doctype html>", "")


@pytest.mark.parametrize(("name", "kind"), [("swagger-ui.css", "text/css"), ("start.js", "text/javascript")])
def test_asset_is_served(client: FlaskClient, name: str, kind: str) -> None:
    answer = client.get(f"/api/docs/{name}", buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, kind)
