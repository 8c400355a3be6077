import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, url_for

from app import create_app
from config import DevelopmentConfig
from slipway.http import static_files
from tests.support import ROOT

HASH = hashlib.sha256(b"p {}").hexdigest()[:12]
YEAR = "public, max-age=31536000, immutable"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Static files."""
    for name in ("style.css", "img/a.b.svg", "LICENSE"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("p {}")
    return tmp_path


@pytest.fixture
def app(folder: Path) -> Flask:
    """An app with these files."""
    app = Flask(__name__, static_folder=folder, static_url_path="/static")
    app.config["DEVELOPMENT"] = False
    static_files.init_app(app)
    return app


NAMES = {
    "style.css": f"style.{HASH}.css",
    "img/a.b.svg": f"img/a.b.{HASH}.svg",
    "LICENSE": f"LICENSE.{HASH}",
    "missing.css": "missing.css",
}


@pytest.mark.parametrize("name", NAMES)
def test_file_is_linked_by_its_content(app: Flask, name: str) -> None:
    with app.test_request_context():
        assert url_for("static", filename=name) == f"/static/{NAMES[name]}"


def test_nginx_names_files_alike(folder: Path, tmp_path: Path) -> None:
    subprocess.run([ROOT / "nginx/hash-static", folder, tmp_path / "hashed"], check=True)
    written = {
        file.relative_to(tmp_path / "hashed").as_posix() for file in (tmp_path / "hashed").rglob("*.*")
    }
    assert written == set(NAMES.values()) - {"missing.css"}


def test_name_is_not_computed_for_each_request(app: Flask, folder: Path) -> None:
    (folder / "style.css").unlink()
    with app.test_request_context():
        assert url_for("static", filename="style.css").endswith(f"{HASH}.css")


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        (f"style.{HASH}.css", 200, YEAR),
        ("style.css", 200, "no-cache"),
        ("style.0123456789ab.css", 404, None),
        ("nowhere.css", 404, None),
    ],
)
def test_app_serves_them_where_no_nginx_does(app: Flask, path: str, status: int, told: str | None) -> None:
    with app.test_client().get(f"/static/{path}") as answer:
        assert (answer.status_code, answer.headers.get("Cache-Control")) == (status, told)


def test_names_are_plain_in_development(settings: Callable[[str], dict[str, str]]) -> None:
    app = create_app(DevelopmentConfig(settings("postgresql://nobody@localhost/none")))
    with app.test_request_context():
        assert url_for("static", filename="style.css") == "/static/style.css"
