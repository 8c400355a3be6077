import json
import logging
import logging.config

import pytest
from flask import Flask
from flask.testing import FlaskClient

from slipway.http.request_log import logging_config, request_id


def test_request_id_is_taken_over(client: FlaskClient) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": "abc-DEF_123.4"})
    assert answer.headers["X-Request-ID"] == "abc-DEF_123.4"


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space 1", "új-azonosító", "a" * 32 + ";"])
def test_request_id_that_is_not_well_formed_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given.encode().decode("latin-1")})
    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 32


def test_request_has_a_log_line_with_its_id(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "app.request")
    client.get("/notes", headers={"X-Request-ID": "12345678"})
    [record] = [r for r in caplog.records if r.name == "app.request"]
    assert record.getMessage().startswith("GET /notes 200 ")


def test_request_keeps_its_id_in_another_context_of_the_app(app: Flask) -> None:
    with app.test_request_context():
        known = request_id()
        with app.app_context():
            assert request_id() == known


def test_probes_have_no_log_line(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "app.request")
    client.get("/healthz")
    assert [r for r in caplog.records if r.name == "app.request"] == []


def test_json_log_line_holds_time_level_and_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logging.config.dictConfig(logging_config("json", "INFO"))
    logging.getLogger("app").warning('a "quoted" line')
    root.handlers[:], root.level = handlers, level
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["logger"], line["request_id"]) == ("WARNING", "app", "-")
    assert line["message"] == 'a "quoted" line'
    assert "time" in line
