"""What tests of pages share."""

import re

from flask.testing import FlaskClient


def csrf_token(client: FlaskClient, url: str) -> str:
    """Return the CSRF token of the form at `url`."""
    match = re.search(r'name="csrf_token" value="([^"]+)"', client.get(url).text)
    assert match
    return match[1]
