import pytest
from flask import Flask

from app.extensions import db
from slipway.db.connection_limits import overdrawn, wanted


@pytest.mark.parametrize(("development", "number"), [(True, 3 * 4 * 5 * 2), (False, 3 * 4 * 5 * 2 * 2)])
def test_connections_of_all_threads_and_both_pools_are_reckoned_up_and_those_of_a_deploy(
    app: Flask, monkeypatch: pytest.MonkeyPatch, development: bool, number: int
) -> None:
    settings = {"WEB_REPLICAS": 3, "WEB_WORKERS": 4, "WEB_THREADS": 5, "DEVELOPMENT": development}
    for name, value in settings.items():
        monkeypatch.setitem(app.config, name, value)
    with app.app_context():
        assert wanted() == number


@pytest.mark.parametrize(("threads", "fits"), [(24, True), (25, False)])
def test_more_than_the_database_takes_is_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch, threads: int, fits: bool
) -> None:
    for name, value in {"WEB_REPLICAS": 1, "WEB_WORKERS": 1, "WEB_THREADS": threads}.items():
        monkeypatch.setitem(app.config, name, value)
    with app.app_context():
        told = overdrawn(db.session.connection())
    assert (
        told is None
        if fits
        else told and told.startswith("web may want 100 connections") and "the database has 97;" in told
    )
