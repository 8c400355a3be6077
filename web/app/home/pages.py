import platform
from importlib.metadata import version

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from slipway.migrations.state import stored_revisions

from ..extensions import db

pages = Blueprint("home", __name__, template_folder="templates")


@pages.get("/")
def index() -> ResponseReturnValue:
    """Welcome; in development also with what the stack is made of."""
    return render_template("home/index.html", facts=facts() if current_app.config["DEVELOPMENT"] else {})


def facts() -> dict[str, str]:
    """Return what a developer wants to know about the running stack."""
    connection = db.session.connection()
    return {
        "Environment": "development",
        "Migration": ", ".join(stored_revisions(connection)) or "none",
        "PostgreSQL": str(connection.exec_driver_sql("SHOW server_version").scalar()),
        "Python": platform.python_version(),
        **{name: version(name) for name in ("Flask", "SQLAlchemy", "gunicorn")},
    }
