import ast

import pytest

from engines.private_api import private_names


@pytest.mark.parametrize(
    "source",
    [
        "session._new",
        "self._app.debug",
        "from flask.globals import _cv_request",
        "from sqlalchemy._private import names",
        "class Parser(Base):\n    def _raw_load_json(self): ...",
        "getattr(schema, '_hooks')",
        "import gunicorn.http.message\ngunicorn.http.message.PATTERN = None",
    ],
)
def test_what_is_private_is_found(source: str) -> None:
    assert len(list(private_names(ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "lambda _: [_ for _ in __file__]",
        "class Text(Field):\n    def _serialize(self): ...\n    def __init__(self): ...",
        "import logging\nlogging.logThreads = False",
        "self.name = schema.name",
    ],
)
def test_what_is_public_is_left(source: str) -> None:
    assert list(private_names(ast.parse(source))) == []
