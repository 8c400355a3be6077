"""HTML forms, in the shape that the schemas load: there are no form classes."""

from flask import request

NOT_FIELDS = ("csrf_token", "version")


def form_data() -> dict[str, str]:
    """Return the fields of the form that was sent, with line ends as everywhere else (browsers send CRLF)."""
    return {
        name: value.replace("\r\n", "\n") for name, value in request.form.items() if name not in NOT_FIELDS
    }
