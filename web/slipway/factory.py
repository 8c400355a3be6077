"""What `create_app` calls: the app around its modules."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from flask import Blueprint, Flask, current_app, url_for
from flask_wtf import CSRFProtect
from sqlalchemy.exc import InvalidRequestError
from werkzeug.middleware.proxy_fix import ProxyFix

from .api import json_provider, swagger_ui
from .api.blueprint import Api
from .api.pagination import query_url
from .db import connections, postgres_values
from .db.models import db
from .environment import ConfigError
from .html.template_globals import shown
from .http import csp, errors, etags, health, request_log, static_files
from .http.converters import IdConverter, id_parameter

csrf = CSRFProtect()
rest = Api()
templates = Blueprint("slipway", __name__, template_folder="html/templates")  # those of the app come first


# What settings may leave out.
DEFAULTS: dict[str, Any] = {
    "DEVELOPMENT": False,
    "PROXIES": 0,
    "DATABASE_WAIT": 60,  # seconds
    "WEB_REPLICAS": 1,
    "WEB_WORKERS": 1,
    "WEB_THREADS": 1,
    "SQLALCHEMY_ENGINE_OPTIONS": {"connect_args": {"options": "-c TimeZone=UTC"}},
    "API_TITLE": "API",
    "API_VERSION": "1",
    "OPENAPI_VERSION": "3.1.0",
}


def make_app(package: str, settings: object, modules: Iterable[str]) -> Flask:
    """Return the app of `package` under `settings`, an object or a mapping, with its `modules` mounted.

    ConfigError if a module is not to be mounted.
    """
    app = Flask(package)
    app.config.from_mapping(DEFAULTS)
    if isinstance(settings, Mapping):
        app.config.from_mapping(settings)
    else:
        app.config.from_object(settings)
    app.json = json_provider.Provider(app)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.url_map.strict_slashes = False
    app.url_map.converters["id"] = IdConverter
    db.init_app(app)
    rest.init_app(app)
    rest.register_converter(IdConverter, id_parameter)
    postgres_values.register()
    connections.init_app(app, db)

    # A request meets these in this order, and its answer in the opposite one.
    hops = app.config["PROXIES"]
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign] # Flask's documented way
    request_log.init_app(app)
    static_files.init_app(app)
    etags.init_app(app)
    errors.init_app(app)
    csp.init_app(app)
    csrf.init_app(app)

    app.add_template_global(query_url)
    app.add_template_global(shown, "ui_value")  # names that no view gives to anything else
    app.add_template_global(postgres_values.is_beyond, "ui_is_beyond")
    for blueprint in (templates, health.pages, swagger_ui.pages):
        app.register_blueprint(blueprint)
    names = list(modules)
    for name in names:
        mount(app, load(package, name))
    etags.keep_shape(app, rest.spec.to_dict())
    app.context_processor(lambda: {"modules": linked_modules(names)})
    return app


def load(package: str, name: str) -> ModuleType:
    """Return the module `name` of `package`.

    ConfigError if it, or one that it refers to, is not there, or a check has no name.
    """
    folder = f"web/{package}"
    try:
        return import_module(f".{name}", package)
    except ModuleNotFoundError as error:
        missing = str(error.name).removeprefix(f"{package}.")
        if missing == error.name:
            raise
        who = f"MODULES in {folder}/__init__.py names" if missing == name else f"{folder}/{name} refers to"
        raise ConfigError(f"{who} {missing}, which is not there") from error
    except InvalidRequestError as error:
        if "explicitly named" not in str(error):
            raise
        example = 'CheckConstraint("price > 0", name="positive")'
        raise ConfigError(f"{folder}/{name}: a check has no name; give it one: {example}") from error


def mount(app: Flask, module: ModuleType) -> None:
    """Register the blueprints that `module` exports, `api` (JSON) and `pages`, and run its `init_app`.

    The API is for anybody, so without CSRF tokens, but see gauth where it is used with a session.
    """
    if hasattr(module, "init_app"):
        module.init_app(app)
    if hasattr(module, "api"):
        rest.register_blueprint(module.api)
        csrf.exempt(module.api)
    if hasattr(module, "pages"):
        app.register_blueprint(module.pages)


def linked_modules(names: Iterable[str]) -> list[dict[str, str]]:
    """Return the name and URL of each module that has an index page of its own, for the navigation."""
    return [
        {"name": name.replace("_", " ").capitalize(), "url": url_for(f"{name}_pages.index")}
        for name in names
        if f"{name}_pages.index" in current_app.view_functions
    ]
