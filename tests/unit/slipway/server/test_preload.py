import logging
from collections.abc import Iterator

import pytest
from flask import Flask, request, request_started

from slipway.server import preload
from slipway.server.preload import load_ahead


@pytest.fixture
def asked(app: Flask) -> Iterator[list[str]]:
    """The paths that are asked for."""
    load_ahead.cache_clear()
    paths: list[str] = []

    def note(_: Flask) -> None:
        paths.append(request.path)

    with request_started.connected_to(note, app):
        yield paths


def test_lists_are_asked_for(app: Flask, asked: list[str]) -> None:
    load_ahead(app)
    assert "/" in asked
    assert "/healthz" not in asked
    assert len(asked) == len({*asked})


def test_templates_are_loaded(app: Flask, asked: list[str]) -> None:
    assert app.jinja_env.cache is not None
    app.jinja_env.cache.clear()
    load_ahead(app)
    loaded = {template.name for template in app.jinja_env.cache.values()}
    assert loaded == set(app.jinja_env.list_templates(extensions=["html"]))


def test_app_is_loaded_once(app: Flask, asked: list[str]) -> None:
    load_ahead(app)
    asked.clear()
    load_ahead(app)
    assert asked == []


def test_nothing_is_logged_but_what_comes_after(
    app: Flask, asked: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    load_ahead(app)
    assert caplog.records == []
    app.test_client().get("/")
    assert [record.name for record in caplog.records] == ["app.request"]


def test_no_more_is_asked_for_once_a_list_fails(
    app: Flask, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "process_response", lambda response: app.response_class(status=503))
    load_ahead(app)
    assert len(asked) == 1


def test_no_more_is_asked_for_once_it_takes_too_long(
    app: Flask, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload, "SECONDS", 0)
    load_ahead(app)
    assert asked == []
