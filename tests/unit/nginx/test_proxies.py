from collections.abc import Callable

import pytest
from flask import request

from app import create_app
from config import TestingConfig


@pytest.mark.parametrize(
    ("trusted", "client", "scheme"), [("0", "192.0.2.3", "http"), ("1", "192.0.2.2", "https")]
)
def test_client_is_counted_back_from_nginx(
    trusted: str, client: str, scheme: str, settings: Callable[[str], dict[str, str]]
) -> None:
    app = create_app(
        TestingConfig(settings("postgresql://nobody@localhost/x") | {"TRUSTED_PROXIES": trusted})
    )
    app.view_functions["health.live"] = lambda: f"{request.remote_addr} {request.scheme}"
    headers = {"X-Forwarded-For": "192.0.2.1, 192.0.2.2, 192.0.2.3", "X-Forwarded-Proto": "https, http"}
    assert app.test_client().get("/healthz", headers=headers).text == f"{client} {scheme}"
