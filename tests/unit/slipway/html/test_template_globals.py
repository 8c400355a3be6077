import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, render_template_string
from jinja2 import UndefinedError

PAGE = '{% import "macros.html" as ui %}{{ ui.value(it) }}'


@pytest.mark.parametrize(
    ("value", "html"),
    [
        (None, '<span class="quiet">none</span>'),
        (
            dt.datetime(2026, 1, 31, 13, 45, tzinfo=dt.UTC),
            '<time datetime="2026-01-31T13:45:00+00:00">2026-01-31 13:45 UTC</time>',
        ),
        (
            dt.datetime(2026, 1, 31, 13, 45, 0, 123456, tzinfo=dt.UTC),
            '<time datetime="2026-01-31T13:45:00.123+00:00">2026-01-31 13:45 UTC</time>',
        ),
        (
            dt.datetime(2026, 1, 31, tzinfo=dt.timezone(dt.timedelta(hours=1), "<b>")),
            '<time datetime="2026-01-31T00:00:00+01:00">2026-01-31 00:00 &lt;b&gt;</time>',
        ),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ({"tzinfo": "<b>"}, '<code>{"tzinfo": "\\u003cb\\u003e"}</code>'),
        ([1, "a"], '<code>[1, "a"]</code>'),
        ((1, "a"), '<code>[1, "a"]</code>'),
        ({"b": 1, "a": 2}, '<code>{"b": 1, "a": 2}</code>'),
        (Decimal("1E+3"), "1000"),
        ("<b>&", "&lt;b&gt;&amp;"),
    ],
)
def test_value_is_shown(app: Flask, value: Any, html: str) -> None:
    with app.test_request_context():
        assert render_template_string(PAGE, it=value) == html


def test_value_that_is_not_defined_is_an_error(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(UndefinedError, match="'it' is undefined"):
        render_template_string(PAGE)


def test_value_is_shown_whatever_a_view_calls_its_own(app: Flask) -> None:
    with app.test_request_context():
        assert render_template_string(PAGE, it=True, shown="no", value="no") == "yes"
