from importlib.resources import files
from pathlib import Path

from flask import Blueprint, render_template, send_from_directory
from flask.typing import ResponseReturnValue

from ..http.csp import policy

pages = Blueprint("docs", __name__, url_prefix="/api/docs")
swagger_ui = str(files("flask_swagger_ui") / "dist")


@pages.get("")
def index() -> ResponseReturnValue:
    """Show the API in Swagger UI: https://swagger.io/tools/swagger-ui/"""
    loosened = policy(style_src="'self' 'unsafe-inline'", img_src="'self' data:")
    return render_template("api_docs.html"), {"Content-Security-Policy": loosened}


@pages.get("/<any('swagger-ui.css', 'swagger-ui-bundle.js'):filename>")
def asset(filename: str) -> ResponseReturnValue:
    """Serve a file of Swagger UI."""
    return send_from_directory(swagger_ui, filename, max_age=86400)


@pages.get("/start.js")
def start() -> ResponseReturnValue:
    """Serve what starts Swagger UI, which is asked for anew each time."""
    return send_from_directory(Path(__file__).parent, "swagger_ui.js")
