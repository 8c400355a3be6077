"""The app: `create_app` makes one, with the modules of `MODULES` mounted."""

from importlib import import_module
from types import ModuleType

from flask import Flask, current_app, url_for
from sqlalchemy.exc import InvalidRequestError
from werkzeug.middleware.proxy_fix import ProxyFix

import config
import logs

from . import assets, beyond, conditional, encoding, errors, policy, reads
from .converters import IdConverter, id_parameter
from .extensions import csrf, db, rest
from .pagination import query_url
from .shown import shown

# Each is a folder here. A module is mounted by its line.
MODULES = [
    "home",
    "health",
    "docs",
    "notes",
    "gauth",
]


def create_app(settings: config.Config | None = None) -> Flask:
    """Return an app under `settings`, by default those that APP_SETTINGS names (config.ConfigError)."""
    app = Flask(__name__)
    app.config.from_object(settings or config.load())
    app.json = encoding.Provider(app)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.url_map.strict_slashes = False
    app.url_map.converters["id"] = IdConverter
    hops = app.config["PROXIES"]
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign] # Flask's documented way
    logs.init_app(app)
    assets.init_app(app)
    conditional.init_app(app)
    policy.init_app(app)
    beyond.register()
    db.init_app(app)
    reads.init_app(app, db)
    csrf.init_app(app)
    rest.init_app(app)
    errors.init_app(app)
    rest.register_converter(IdConverter, id_parameter)
    app.add_template_global(query_url)
    app.add_template_global(shown, "ui_value")  # names that no view gives to anything else
    app.add_template_global(beyond.is_beyond, "ui_is_beyond")
    for name in MODULES:
        mount(app, load(name))
    conditional.keep_shape(app, rest.spec.to_dict())
    app.context_processor(lambda: {"modules": linked_modules()})
    return app


def load(name: str) -> ModuleType:
    """Return the module `name`.

    Where it, or one that it refers to, is not there, or a check has no name, that is a config.ConfigError.
    """
    try:
        return import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:
        missing = str(error.name).removeprefix(f"{__name__}.")
        if missing == error.name:
            raise
        who = "MODULES in web/app/__init__.py names" if missing == name else f"web/app/{name} refers to"
        raise config.ConfigError(f"{who} {missing}, which is not there") from error
    except InvalidRequestError as error:
        if "explicitly named" not in str(error):
            raise
        example = 'CheckConstraint("price > 0", name="positive")'
        raise config.ConfigError(f"web/app/{name}: a check has no name; give it one: {example}") from error


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


def linked_modules() -> list[dict[str, str]]:
    """Return the name and URL of each module that has an index page of its own, for the navigation."""
    return [
        {"name": name.replace("_", " ").capitalize(), "url": url_for(f"{name}_pages.index")}
        for name in MODULES
        if f"{name}_pages.index" in current_app.view_functions
    ]
