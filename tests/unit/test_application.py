"""What the app does in a quicker way than Flask: the same comes of it."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, render_template_string, url_for
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import pass_context
from werkzeug.datastructures import Headers
from werkzeug.routing import BuildError, MapAdapter

from app.application import Application


@dataclass
class Unhashable:
    """A view that equals another."""

    def __call__(self) -> str:
        return "answer"


class WithoutReferences:
    """A view that is not to be referred to weakly."""

    __slots__ = ()

    def __call__(self) -> str:
        return "answer"


async def answer() -> str:
    return "answer"


@pytest.mark.parametrize("view", [Unhashable(), WithoutReferences()])
def test_view_may_be_an_object(app: Flask, view: Unhashable | WithoutReferences) -> None:
    assert app.ensure_sync(view)() == "answer"


def test_coroutine_is_told_each_time(app: Flask) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError, match="Install Flask with the 'async' extra"):
            app.ensure_sync(answer)


def view(**_values: Any) -> str:
    """Answer."""
    return ""


def with_views(app: Flask) -> Flask:
    """Return `app` with views of several kinds."""
    things = Blueprint("things", __name__, url_prefix="/things")
    for path, endpoint in {
        "": "index",
        "/<id:thing_id>": "show",
        "/<id:thing_id>/parts/<id:part_id>": "part",
        "/of-100%/<id:thing_id>": "percent",
        "/größe/<id:thing_id>": "size",
        "/by-name/<name>": "named",
        "/doubled//<id:thing_id>": "doubled",
        "/%(thing_id)d": "formatted",
        "/by-number/<int(fixed_digits=4):number>": "numbered",
        "/first": "two",
        "/second/<id:thing_id>": "two",
    }.items():
        things.add_url_rule(path, endpoint, view)
    things.add_url_rule("/sent/<id:thing_id>", "either", view, methods=["POST"])
    things.add_url_rule("/got/<id:thing_id>", "either", view)
    things.add_url_rule("/later", "later", view, defaults={"thing_id": 1})
    things.add_url_rule("/first/<id:thing_id>", "first", view, defaults={"thing_id": 1})
    things.add_url_rule("/live/<id:thing_id>", "live", websocket=True)
    things.add_url_rule("/elsewhere/<id:thing_id>", "elsewhere", view, subdomain="other")
    things.add_url_rule("/of/<who>", "of", view, subdomain="<id:thing_id>")
    app.register_blueprint(things)
    return app


APP = with_views(Application(__name__))
PLAIN = Flask(__name__)
PLAIN.url_map.converters["id"] = APP.url_map.converters["id"]
with_views(PLAIN)

ENDPOINTS = [
    ".index",
    *sorted(rule.endpoint for rule in APP.url_map.iter_rules() if rule.endpoint != "static"),
    "things.missing",
    "",
    ".",
]
IDS = st.integers(-1, 10**18)
OTHERS = (
    st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["a b", "7", ""])
)
VALUES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"thing_id": IDS}, optional={"part_id": IDS}),
    st.dictionaries(
        st.sampled_from(["thing_id", "part_id", "name", "number", "self"]), IDS | OTHERS, max_size=3
    ),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "_anchor": st.sampled_from(["", "top"]),
        "_external": st.booleans(),
        "_method": st.sampled_from(["GET", "POST"]),
    },
)


def url_of(app: Flask, endpoint: str, values: dict[str, Any], path: str, root: str) -> str:
    """Return the URL that `app` makes in a request, or what is wrong."""
    with app.test_request_context(path, environ_overrides={"SCRIPT_NAME": root}):
        try:
            return url_for(endpoint, **values)
        except (BuildError, ValueError, TypeError) as error:
            return f"{type(error).__name__}: {error}"


@settings(max_examples=1000)
@given(
    st.sampled_from(ENDPOINTS),
    VALUES,
    st.just({}) | OPTIONS,
    st.sampled_from(["/things", "/nowhere"]),
    st.sampled_from(["", "/below", "/below//"]),
)
def test_urls_are_those_of_flask(
    endpoint: str, values: dict[str, Any], options: dict[str, Any], path: str, root: str
) -> None:
    asked = endpoint, values | options, path, root
    assert url_of(APP, *asked) == url_of(PLAIN, *asked)


def test_url_that_is_plain_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(MapAdapter, "build")
    with APP.test_request_context("/things"):
        assert url_for(".part", thing_id=2, part_id=3) == "/things/2/parts/3"


def test_url_defaults_count() -> None:
    app = with_views(Application(__name__))
    app.url_defaults(lambda _, values: values.update(thing_id=5))
    with app.test_request_context("/things"):
        assert url_for(".show", thing_id=1) == "/things/5"


def test_url_of_another_host_names_it() -> None:
    app = Application(__name__, host_matching=True, static_host="a.example")
    app.add_url_rule("/<id:thing_id>", "show", view, host="b.example")
    with app.test_request_context(base_url="http://a.example"):
        assert url_for("show", thing_id=1) == "http://b.example/1"


def test_url_outside_a_request_has_a_host() -> None:
    app = with_views(Application(__name__))
    app.config["SERVER_NAME"] = "example.com"
    with app.app_context():
        assert url_for("things.show", thing_id=1) == "http://example.com/things/1"


@pass_context
def name_in(context: Any) -> str:
    """Return what a template knows as `name`."""
    return str(context["name"])


class Caller:
    """Something to call that wants to know the context."""

    __call__ = staticmethod(name_in)


def ends() -> str:
    """Call for more than there is."""
    return next(iter(()))


def names_of(**values: Any) -> str:
    """Return the names of the arguments."""
    return "".join(values)


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{% for _ in 'ab' %}{{ names_of(a=1) }}{% endfor %}", "aa"),
        ("{% for x in 'ab' %}{% set name = x %}{{ with_context() }}{% endfor %}", "ab"),
        ("{% block here %}{% set b = 2 %}{{ names_of(a=1) }}{% endblock %}", "a"),
        ("{{ caller_object() }}", "name"),
        ("{{ [1, 2].pop() }}", "2"),
        ("{{ ends() is defined }}", "False"),
        ("{% macro m(a) %}{{ a }}{{ caller() }}{% endmacro %}{% call m(1) %}2{% endcall %}", "12"),
    ],
)
def test_templates_call_what_they_know(template: str, shown: str) -> None:
    known = {"names_of": names_of, "with_context": name_in, "caller_object": Caller(), "ends": ends}
    with APP.test_request_context():
        assert render_template_string(template, name="name", **known) == shown


def test_template_may_know_more_than_others() -> None:
    app = Application(__name__)
    own = app.jinja_env.from_string("{{ a }}{{ b }}{{ c }}", globals={"a": 1, "c": 3})
    app.jinja_env.globals |= {"b": 2, "c": 4}
    assert own.render() == "123"
    own.globals["d"] = 5
    assert own.globals.keys() == {"a", "d", *app.jinja_env.globals}
    assert app.jinja_env.from_string("{{ a }}{{ b }}{{ c }}{{ d }}").render() == "24"


class Stamped(Response):
    """An answer with a header of its own."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Return the headers."""
        headers = super().get_wsgi_headers(environ)
        headers["X-Stamp"] = "mine"
        return headers


def test_answer_may_have_a_class_of_its_own() -> None:
    app = Application(__name__)
    app.add_url_rule("/", view_func=lambda: Stamped("answer"))
    assert app.test_client().get("/").headers["X-Stamp"] == "mine"


@pytest.mark.parametrize("location", ["/a", "//HOST/a", "///a", "/größe", "a b", "https://example.com/a"])
def test_answer_says_where_as_flask_does(location: str) -> None:
    told = []
    for app in Application(__name__), Flask(__name__):
        app.add_url_rule("/", view_func=lambda: ("made", 201, {"Location": location}))
        told.append(app.test_client().get("/").headers["Location"])
    assert told[0] == told[1]


@pytest.mark.parametrize("make", [Application, Flask])
def test_static_file_without_a_name_has_no_url(make: type[Flask]) -> None:
    with make(__name__).test_request_context(), pytest.raises(BuildError):
        url_for("static")
