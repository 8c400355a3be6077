"""Static files under names that have a hash of their content, so that browsers keep them for a year.

In production nginx has the files under these names (nginx/hash-static), and answers without the app.
"""

import hashlib
from pathlib import Path
from typing import Any

from flask import Flask, Response

YEAR = 365 * 24 * 60 * 60


def init_app(app: Flask) -> None:
    """Have `url_for("static", …)` give hashed names; in development, where files are edited, plain ones."""
    if app.config["DEVELOPMENT"]:
        return
    hashed = hashed_names(Path(app.static_folder or ""))
    plain = {name: file for file, name in hashed.items()}

    def send(filename: str) -> Response:
        if filename not in plain:
            return app.send_static_file(filename)
        return lasting(app.send_static_file(plain[filename]))

    def name_hashed(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            values["filename"] = hashed.get(values["filename"], values["filename"])

    app.view_functions["static"] = send
    app.url_defaults(name_hashed)


def hashed_names(folder: Path) -> dict[str, str]:
    """Return what each file of `folder` is called by its content: {"style.css": "style.0123456789ab.css"}."""
    files = {file.relative_to(folder): file for file in folder.rglob("*") if file.is_file()}
    return {name.as_posix(): hashed_name(name, file.read_bytes()) for name, file in files.items()}


def hashed_name(name: Path, content: bytes) -> str:
    """Return `name` with the hash of `content` before its suffix."""
    digest = hashlib.sha256(content).hexdigest()[:12]
    return name.with_name(f"{name.stem}.{digest}{name.suffix}").as_posix()


def lasting(response: Response) -> Response:
    """Tell in `response` that what has this name never changes."""
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
