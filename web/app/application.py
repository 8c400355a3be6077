"""Flask, which finds out once what is the same for each request."""

import re
from collections import ChainMap
from collections.abc import Callable, KeysView, MutableMapping
from inspect import CO_COROUTINE
from itertools import chain
from types import FunctionType, MethodType
from typing import Any, NamedTuple
from weakref import WeakSet

from flask import Flask, Response
from flask.globals import _cv_request
from flask.templating import Environment
from jinja2.runtime import Context
from jinja2.utils import internalcode
from werkzeug.datastructures import Headers

from logs import PLAIN_PATH

from .converters import IdConverter

PLAIN: WeakSet[Callable[..., Any]] = WeakSet()
NOTHING, IDS = {None}, {int}
ID = re.compile(r"<id:(\w+)>")
PLAIN_RULE = re.compile(r"(?!.*//)(?:[A-Za-z0-9/_.~-]|<id:\w+>)*", re.ASCII)  # is in a URL as it stands


class QuickContext(Context):
    """A template's context, which looks first whether it calls a plain function, that wants nothing of it."""

    @internalcode
    def call(__self, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 # Jinja's names, to be no argument's
        """Return what `__obj` returns."""
        if type(__obj) not in (FunctionType, MethodType) or hasattr(__obj, "jinja_pass_arg"):
            return super().call(__obj, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        try:
            return __obj(*args, **kwargs)
        except StopIteration:
            return __self.environment.undefined(f"{__obj!r} raised StopIteration")


class Globals(ChainMap[str, Any]):
    """What a template knows by itself, and then what all of them do; Jinja wants the names for each page."""

    def keys(self) -> KeysView[str]:
        """Return the names, in a set that is compared with others at once."""
        return dict.fromkeys(chain(*self.maps)).keys()


class QuickEnvironment(Environment):
    """Flask's templates, with these."""

    context_class = QuickContext

    def make_globals(self, d: MutableMapping[str, Any] | None) -> Globals:
        """Return what a template knows without being told."""
        return Globals({} if d is None else d, self.globals)


class Answer(Response):
    """An answer: most need nothing of what werkzeug does with the headers as it sends them."""

    @classmethod
    def force_type(cls, response: Any, environ: Any = None) -> Any:
        """Return `response` as an answer of Flask's, of whatever class that is."""
        return response if isinstance(response, Response) else super().force_type(response, environ)

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Return the headers as they are sent, without a copy where that would be none other."""
        given = {name.lower(): value for name, value in self.headers}
        location = given.get("location", "")
        plain = "content-location" not in given and PLAIN_PATH.fullmatch(location) and "//" not in location
        if self.status_code in (200, 201) and "content-length" in given and plain:
            return self.headers
        return super().get_wsgi_headers(environ)


class Way(NamedTuple):
    """How the path of an endpoint is written that takes ids, or nothing: `text % ids`."""

    text: str
    names: set[str]
    subdomain: str


class Application(Flask):
    """Flask, which keeps in mind how paths are written, and which functions are no coroutines."""

    jinja_environment = QuickEnvironment
    response_class = Answer

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.url_map.converters["id"] = IdConverter
        self.ways: dict[str, Way | None] = {}
        self.static_names: dict[str, str] = {}  # by the plain names

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """Return the URL of `endpoint` (BuildError)."""
        asked = _cv_request.get(None)
        adapter = asked.url_adapter if asked else None
        plain = {_anchor, _method, _scheme, _external} == NOTHING and not self.url_default_functions
        if asked and adapter and plain:
            name = f"{asked.request.blueprint}{endpoint}" if endpoint[:1] == "." else endpoint
            way = self.ways[name] if name in self.ways else self.learn_way(name)
            if (
                way is not None
                and values.keys() == way.names
                and {*map(type, values.values())} <= IDS
                and way.subdomain == adapter.subdomain
            ):
                return adapter.script_name.rstrip("/") + way.text % values
        options: Any = {"_anchor": _anchor, "_method": _method, "_scheme": _scheme, "_external": _external}
        return super().url_for(endpoint, **options, **values)

    def learn_way(self, endpoint: str) -> Way | None:
        """Return the way of `endpoint`, None where there is none, or where its path is not that plain."""
        try:
            rule, *others = self.url_map.iter_rules(endpoint)
        except KeyError:
            return None
        way = None
        special = others or rule.defaults or rule.websocket
        if not special and PLAIN_RULE.fullmatch(rule.rule):
            way = Way(ID.sub(r"%(\1)d", rule.rule), rule.arguments, rule.subdomain or "")
        self.ways[endpoint] = way
        return way

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Put the hash into the name of a static file."""
        if endpoint == "static" and "filename" in values:
            values["filename"] = self.static_names.get(values["filename"], values["filename"])
        super().inject_url_defaults(endpoint, values)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` as a function that is called without `await`."""
        if type(func) is FunctionType and not func.__dict__ and not func.__code__.co_flags & CO_COROUTINE:
            return func  # which nothing marks as a coroutine either
        try:
            if func in PLAIN:
                return func
            ready = super().ensure_sync(func)
            if ready is func:
                PLAIN.add(func)
        except TypeError:  # of an object that cannot be told from others, or is not to be referred to so
            return super().ensure_sync(func)
        return ready
