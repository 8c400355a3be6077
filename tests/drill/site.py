"""The stack that a drill is made on: in a copy of the checkout, in production settings, with https."""

import os
import re
import ssl
import subprocess
from pathlib import Path

import httpx

from tests.copies import copy_repository, free_port, production_settings, write_settings

BUILD = ("PYTHON_IMAGE", "POSTGRES_IMAGE", "NGINX_IMAGE", "PIP_INDEX_URL", "CA_BUNDLE")
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "DOCKER_HOST")
AUTHOR = ("-c", "user.name=drill", "-c", "user.email=drill@localhost")
# What lasts, what takes a body, and what tells the release.
MODULE = '''"""What a drill asks for beside the notes."""

import hashlib
import time

from flask import request
from flask_smorest import Blueprint

api = Blueprint("drill", __name__, url_prefix="/api/drill")
RELEASE = "0"


@api.get("/release")
def release() -> dict[str, str]:
    return {"release": RELEASE}


@api.get("/slow")
def slow() -> dict[str, str]:
    time.sleep(float(request.args["seconds"]))
    return {}


@api.post("/upload")
def upload() -> dict[str, str]:
    return {"sha256": hashlib.sha256(request.get_data()).hexdigest()}
'''
REVISION = '''"""drill {name}"""

import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notes", sa.Column("{name}", sa.Integer()))


def downgrade() -> None:
    op.drop_column("notes", "{name}")
'''


class VerbFailed(Exception):  # noqa: N818 # told to who typed the verb
    """A verb failed in the copy; the message is what was on its screen."""


class Site:
    """The copy, what is changed in it, and the verbs."""

    def __init__(self, path: Path, engine: str) -> None:
        self.path = path
        self.environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.certificate = path / "tls/cert.pem"
        self.settings = {
            **production_settings(free_port()),
            **{name: os.environ[name] for name in BUILD if name in os.environ},
            "COMPOSE_PROJECT_NAME": f"slipway-drill-{os.getpid()}",
            "ENGINE": engine,
            "HTTPS_PORT": str(self.port),
            "TLS_CERT": "tls/cert.pem",
            "TLS_KEY": "tls/key.pem",
            # Requests that last for seconds leave threads for the others, and what has to wait while images
            # are built on the same machine is not refused for that: these limits have tests of their own.
            "WEB_THREADS": "8",
            "WEB_CONNECTIONS": "1000",
            "CLIENT_CONNECTIONS": "10000",
        }

    def make(self, verb: str, *variables: str, stdin: str = "") -> str:
        """Type `make`; return what is on the screen (VerbFailed)."""
        run = subprocess.run(
            ["make", "--no-print-directory", verb, *variables],
            cwd=self.path,
            env=self.environment,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if run.returncode:
            raise VerbFailed(f"make {verb} fails:\n{run.stdout}")
        return run.stdout

    def start(self) -> None:
        """Make the copy, a first release, and serve it (VerbFailed)."""
        copy_repository(self.path)
        write_settings(self.path / ".env", self.settings)
        (self.path / ".env").chmod(0o600)
        self.make("cert")
        (self.path / "web/app/drill").mkdir()
        self.write("web/app/drill/__init__.py", 'from .api import api\n\n__all__ = ["api"]\n')
        self.write("web/app/drill/api.py", MODULE)
        self.edit("web/app/__init__.py", "MODULES = [", 'MODULES = [\n    "drill",')
        self.git("init", "--quiet")
        self.commit("0")
        self.make("up")

    def write(self, name: str, text: str) -> None:
        """Write a file of the copy."""
        (self.path / name).write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file of the copy."""
        text = (self.path / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def git(self, *arguments: str) -> None:
        """Run git in the copy."""
        subprocess.run(["git", *AUTHOR, *arguments], cwd=self.path, check=True, capture_output=True)

    def commit(self, name: str) -> None:
        """Make a commit of all."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", name)

    def change(self, name: str) -> None:
        """Change code and a static file, so that the release tells `name`."""
        path = self.path / "web/app/drill/api.py"
        self.write("web/app/drill/api.py", re.sub('RELEASE = ".*"', f'RELEASE = "{name}"', path.read_text()))
        with (self.path / "web/app/static/style.css").open("a") as file:
            file.write(f"/* {name} */\n")

    def migrate(self, name: str) -> None:
        """Add a revision, which adds a column."""
        versions = self.path / "web/migrations/versions"
        texts = [path.read_text() for path in versions.glob("*.py")]
        before = {found for text in texts for found in re.findall(r"(?m)^down_revision = ['\"](\w+)", text)}
        [head] = {
            found for text in texts for found in re.findall(r"(?m)^revision = ['\"](\w+)", text)
        } - before
        self.write(f"web/migrations/versions/{name}.py", REVISION.format(name=name, before=head))

    def restore(self) -> None:
        """Take back what was changed since the last commit."""
        self.git("reset", "--quiet", "--hard")
        self.git("clean", "--quiet", "--force")

    def get(self, path: str) -> httpx.Response:
        """Return the answer to a GET."""
        trusted = ssl.create_default_context(cafile=self.certificate)
        return httpx.get(self.url + path, verify=trusted, timeout=20)

    def release(self) -> str:
        """Return what release answers."""
        return str(self.get("/api/drill/release").json()["release"])

    def titles(self) -> list[str]:
        """Return the titles of all notes that a drill has made."""
        statement = "\\pset format unaligned\nSELECT title FROM notes WHERE title LIKE 'drill %';\n"
        return [line for line in self.make("psql", stdin=statement).splitlines() if line.startswith("drill ")]
