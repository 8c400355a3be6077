"""Values as pages show them: `ui.value` in templates."""

import datetime as dt
from decimal import Decimal
from typing import Any

from flask import current_app
from jinja2 import Undefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape

NONE = Markup('<span class="quiet">none</span>')
CODE = Markup("<code>%s</code>")


def shown(value: Any) -> str:
    """Return the HTML for a value of a record (UndefinedError)."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dt.datetime) and value.tzinfo:
        # HTML has three digits of a second at most: https://html.spec.whatwg.org/#global-dates-and-times
        digits = "milliseconds" if value.microsecond else "seconds"
        exact, zone = value.isoformat(timespec=digits), value.tzname() or ""
        if not zone.isalnum():
            zone = escape(zone)
        minute = exact[:16].replace("T", " ")
        return Markup(f'<time datetime="{exact}">{minute} {zone}</time>')  # noqa: S704 # digits, and what is escaped
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list | tuple):
        return CODE % htmlsafe_json_dumps(value, current_app.json.dumps)
    if isinstance(value, Undefined):
        value()  # which says what is not defined
    return escape(format(value, "f") if isinstance(value, Decimal) else value)
