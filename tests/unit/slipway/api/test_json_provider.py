import datetime as dt
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, Response

from slipway.api.json_provider import Provider

APP = Flask("app")
encode = Provider(APP).encode


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (dt.datetime(2026, 1, 31, 13, 45, tzinfo=dt.UTC), "2026-01-31T13:45:00+00:00"),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (dt.time(13, 45, 0, 10_000), "13:45:00.010000"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1E+3"), "1000"),
    ],
)
@pytest.mark.parametrize("beside", [0, 2**70])
def test_value_that_json_lacks_is_text(value: Any, text: str, beside: int) -> None:
    with APP.app_context():
        answer = Provider(APP).response([value, beside])
    assert json.loads(answer.get_data()) == [text, beside]


@pytest.mark.parametrize("value", [2**64, -(2**70), {"deep": [2**100]}, "\ud800"])
def test_what_orjson_refuses_is_written_all_the_same(value: Any) -> None:
    assert json.loads(encode(value)) == value


def test_names_keep_their_order() -> None:
    assert encode({"b": 1, "a": "é"}).decode() == '{"b":1,"a":"é"}\n'


def test_what_is_no_json_is_an_error() -> None:
    with pytest.raises(TypeError):
        encode(object())


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {}),
        (200, {"ETag": 'W/"1"'}),
        (200, {"Content-Location": "/ű"}),
        (201, {"Location": "/api/notes/1"}),
        (201, {"Location": "/ű"}),
        (204, {}),
        (304, {"ETag": 'W/"1"'}),
    ],
)
def test_answer_is_sent_with_the_headers_that_werkzeug_sends(status: int, headers: dict[str, str]) -> None:
    with APP.test_request_context() as context:
        answer = APP.make_response((Provider(APP).response([1]), status, headers))
        plain = Response(answer.get_data(), status, answer.headers)
        sent, sent_plain = (it.get_wsgi_response(context.request.environ) for it in (answer, plain))
    assert b"".join(sent[0]) == b"".join(sent_plain[0])
    assert sent[1:] == sent_plain[1:]
