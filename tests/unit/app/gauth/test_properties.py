import re

from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.gauth.answers import local_path
from app.gauth.schemas import storable
from slipway.api.fields import unstorable

anything = st.text(st.characters(exclude_categories=[]), max_size=80)


@given(anything)
@example("/\\evil.example")
@example("//evil.example")
@example("/\t/evil.example")
def test_path_to_come_back_to_is_of_this_site(value: str) -> None:
    with Flask(__name__).test_request_context():
        path = local_path(value.encode(errors="replace").decode())
    assert re.match(r"/(?![/\\])", path)
    assert not re.search(r"[\\\t\r\n]", path)


@given(anything)
def test_text_is_refused_where_it_cannot_be_stored(value: str) -> None:
    try:
        storable(value)
    except ValidationError:
        assert unstorable(value)
    else:
        assert not unstorable(value)
