import gzip

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize(
    "body",
    [
        b'{"title": "a", "title": "b"}',
        b'{"title": {"x": 1, "x": 2}}',
        '{"title": "a"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"title": "a"}',
        b'{"title": NaN}',
        b'{"title": -Infinity}',
        b'{"title": 1e999}',
        b'{"title": -1e999}',
        b'{"title": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"",
    ],
)
def test_json_that_readers_would_take_differently_is_refused(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/api/notes", data=body, content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_encoded_body_is_refused(client: FlaskClient) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert client.post("/api/notes", data=gzip.compress(b"{}"), headers=headers).status_code == 415


def test_errors_are_documented_as_problem_documents(client: FlaskClient) -> None:
    responses = client.get("/api/openapi.json").json["components"]["responses"]
    assert {kind for response in responses.values() for kind in response.get("content", {})} == {
        "application/problem+json"
    }
