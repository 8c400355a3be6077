"""The OpenAPI document, with notes as the example."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema, fields

from app.notes.schemas import NotePage, NoteSchema
from slipway.api.blueprint import Api, Blueprint

ONE = "/api/notes/{note_id}"


@pytest.fixture
def document(client: FlaskClient) -> Any:
    """The document."""
    return client.get("/api/openapi.json").json


def test_document_is_openapi_3_1(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert (document["servers"], document["security"]) == ([{"url": "/"}], [])


def test_operations_are_named_by_what_they_are(document: Any) -> None:
    found = {
        path: {m: it["operationId"] for m, it in item.items() if m != "parameters"}
        for path, item in document["paths"].items()
    }
    assert found["/api/notes"] == {"get": "notes_index", "post": "notes_create"}
    assert found[ONE] == {"get": "notes_show", "patch": "notes_update", "delete": "notes_delete"}
    names = [name for item in found.values() for name in item.values()]
    assert len(names) == len(set(names))


def test_answer_has_every_field_and_may_have_more(document: Any) -> None:
    note = document["components"]["schemas"]["Note"]
    assert set(note["required"]) == set(note["properties"]) >= {"id", "title", "body", "version"}
    assert "additionalProperties" not in note
    assert document["components"]["schemas"]["NotePage"]["properties"]["items"]["items"] == {
        "$ref": "#/components/schemas/Note"
    }


def test_what_is_sent_has_no_field_that_the_server_sets(document: Any) -> None:
    create, update = (document["components"]["schemas"][name] for name in ("NoteCreate", "NoteUpdate"))
    assert set(create["properties"]) == set(update["properties"]) == {"title", "body"}
    assert create["required"] == ["title"]
    assert "required" not in update
    assert create["additionalProperties"] is False


def test_every_schema_is_referred_to(document: Any) -> None:
    text = str(document)
    assert [name for name in document["components"]["schemas"] if f"/schemas/{name}'" not in text] == []


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/api/notes", "get", {"200", "422", "429"}),
        ("/api/notes", "post", {"201", "409", "422", "429"}),
        (ONE, "get", {"200", "304", "404", "429"}),
        (ONE, "patch", {"200", "404", "409", "412", "422", "429"}),
        (ONE, "delete", {"204", "404", "409", "412", "429"}),
        ("/api/me/tokens/{token_id}", "delete", {"204", "401", "404", "429"}),
    ],
)
def test_statuses_are_documented(document: Any, path: str, method: str, statuses: set[str]) -> None:
    assert set(document["paths"][path][method]["responses"]) == statuses | {"default"}


def test_conditional_requests_are_documented(document: Any) -> None:
    sent = {
        method: [it["name"] for it in document["paths"][ONE][method].get("parameters", [])]
        for method in ("get", "patch", "delete")
    }
    assert sent == {"get": ["If-None-Match"], "patch": ["If-Match"], "delete": ["If-Match"]}
    created = document["paths"]["/api/notes"]["post"]["responses"]["201"]
    assert set(created["headers"]) == {"ETag", "Location"}
    assert set(document["paths"][ONE]["get"]["responses"]["200"]["headers"]) == {"ETag"}
    assert "headers" not in document["paths"]["/api/notes"]["get"]["responses"]["200"]


def operations_of(api: Blueprint) -> Any:
    """Return the paths of the document of an app with a blueprint of the test's own."""
    app = Flask("documented")
    app.config |= {"API_TITLE": "t", "API_VERSION": "1", "OPENAPI_VERSION": "3.1.0"}
    documented = Api(app)
    documented.register_blueprint(api)
    return documented.spec.to_dict()["paths"]


class Branch(Schema):
    """A schema that is nested in itself."""

    name = fields.String()
    branches = fields.List(fields.Nested(lambda: Branch()))
    trunk = fields.Pluck(lambda: Branch(), "name")


def test_schema_that_is_nested_in_itself_is_documented() -> None:
    api = Blueprint("trees", __name__)
    api.add_url_rule("/tree", "show", api.response(200, Branch)(lambda: None))
    answer = operations_of(api)["/tree"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Branch"}


def test_view_that_takes_several_records_is_documented_so() -> None:
    api = Blueprint("batches", __name__)
    taken = api.arguments(NoteSchema(many=True))(lambda data: None)
    api.add_url_rule(
        "/batch", "batch", api.response(201, NoteSchema(many=True))(taken), methods=["POST", "PUT"]
    )
    operations = operations_of(api)["/batch"]
    sent = operations["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert sent == {"type": "array", "items": {"$ref": "#/components/schemas/NoteCreate"}}
    assert "headers" not in operations["post"]["responses"]["201"]
    assert [operations[method]["operationId"] for method in ("post", "put")] == [
        "batches_batch_post",
        "batches_batch_put",
    ]


def test_views_by_hand_are_documented_as_what_they_are() -> None:
    api = Blueprint("shelves", __name__)

    def view(shelf_id: int) -> None: ...

    of_list, of_one = api.response(200, NotePage)(view), api.response(200, NoteSchema)(view)
    api.add_url_rule("/shelves/<int:shelf_id>/notes", "notes", of_list)
    api.add_url_rule("/shelves/<int:shelf_id>", "show", of_one)
    api.add_url_rule("/shelves", "probe", view, methods=["HEAD"])
    paths = operations_of(api)
    listed = paths["/shelves/{shelf_id}/notes"]["get"]
    assert "304" not in listed["responses"]
    assert listed["description"].startswith("A page of the list")
    assert set(paths["/shelves"]["head"]["responses"]) == {"429", "default"}
    assert "304" in paths["/shelves/{shelf_id}"]["get"]["responses"]
