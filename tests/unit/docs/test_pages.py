from flask.testing import FlaskClient


def test_index_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert 'src="/api/docs/swagger-ui-bundle.js"' in page
    assert "//" not in page.replace("<!doctype html>", "")


def test_asset_is_served(client: FlaskClient) -> None:
    answer = client.get("/api/docs/swagger-ui.css", buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, "text/css")


def test_document_is_openapi_3_1(client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").json
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]["/api/notes/{note_id}"]) >= {"get", "patch", "delete"}
    assert {"Note", "NoteUpdate", "NotePage"} <= set(document["components"]["schemas"])
    assert "required" not in document["components"]["schemas"]["NoteUpdate"]
