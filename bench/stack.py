"""The stack on engine native, in a copy of the checkout that goes again."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests import copies

from .tell import Failure

KEPT = ("PATH", "HOME", "LANG", "TMPDIR")  # of the environment: no setting of the user's own stack
DEVELOPMENT = {
    "APP_SETTINGS": "config.DevelopmentConfig",
    "COMPOSE_FILE": "docker-compose.yml:docker-compose.dev.yml",
}
FIELDS = "title:string:index:search body:text:search="  # those of notes
CACHED = '''"""A list that nginx may keep."""

from typing import Any

from ..extensions import Blueprint, public_cache
from ..notes.api import index

api = Blueprint("cached", __name__, url_prefix="/api/cached")


@api.get("")
@public_cache(60)
def cached() -> Any:
    """List notes."""
    return index()
'''


class Stack:
    """The copy, and what can be done there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.port = copies.free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def make(self, verb: str, alone: bool = False, /, **variables: str) -> float:
        """Type `make`; return how many seconds it took (Failure). `alone`: Ctrl-C does not reach it."""
        began = time.monotonic()
        run = subprocess.run(  # noqa: S603 # fixed
            ["make", "--no-print-directory", verb, *(f"{name}={value}" for name, value in variables.items())],  # noqa: S607
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=alone,
        )
        if run.returncode:
            raise Failure(f"make {verb} fails in the copy:\n{run.stdout[-3000:]}")
        return time.monotonic() - began

    def settle(self) -> None:
        """Write the .env of a production in which somebody may sign in."""
        signing_in = {"GAUTH_CLIENT_ID": "never asked", "GAUTH_CLIENT_SECRET": "never asked"}
        own = {"ENGINE": "native", "WEB_WORKERS": str(os.cpu_count())}
        copies.write_settings(self.path / ".env", copies.production_settings(self.port) | signing_in | own)

    def add_modules(self) -> None:
        """Have `make module` write the tasks of users; mount a list that nginx may keep, where it may."""
        self.make("module", NAME="task", FIELDS=FIELDS, OWNED="1")
        self.make("migrate", **DEVELOPMENT)
        if self.can_cache():
            app = self.path / "web/app"
            (app / "cached").mkdir()
            (app / "cached/__init__.py").write_text('from .api import api\n\n__all__ = ["api"]\n')
            (app / "cached/api.py").write_text(CACHED)
            mounting = (
                (app / "__init__.py").read_text().replace("MODULES = [", 'MODULES = [\n    "cached",', 1)
            )
            (app / "__init__.py").write_text(mounting)

    def can_cache(self) -> bool:
        """Tell whether the app has the decorator for what nginx may keep."""
        return bool(re.search(r"\bpublic_cache\b", (self.path / "web/app/extensions.py").read_text()))

    @property
    def web(self) -> psutil.Process:
        """gunicorn's first process."""
        return psutil.Process(int((self.path / ".native/run/web.pid").read_text()))

    @property
    def web_environment(self) -> dict[str, str]:
        """What web is told: settings, and where the database is."""
        return self.web.environ()

    def log(self, contestant: str = "ours") -> str:
        """Return the last lines that a contestant's gunicorn has logged."""
        folder = {"naive": ".naive", "bare": ".bare"}.get(contestant, ".native")
        path = self.path / folder / "log/web.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-10:]) if path.exists() else ""


@contextmanager
def running(commit: str = "") -> Iterator[Stack]:
    """Start the stack in a copy of the checkout, or of a commit; leave nothing of it, whatever fails."""
    folder = Path(tempfile.mkdtemp(prefix="slipway-bench-"))
    stack = Stack(folder.resolve())
    try:
        copy_commit(stack.path, commit) if commit else copy(stack.path)
        stack.settle()
        stack.add_modules()
        stack.make("up")
        yield stack
    finally:
        remove(stack)


def copy(path: Path) -> None:
    """Copy the checkout to `path` (Failure)."""
    try:
        copies.copy_repository(path)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(f"the checkout cannot be copied, which needs git and a clone: {error}") from error


def copy_commit(path: Path, commit: str) -> None:
    """Have the files of a commit in `path` (Failure), with our packages if it locks the same."""
    archive = subprocess.run(["git", "archive", commit], cwd=copies.ROOT, capture_output=True)  # noqa: S603, S607 # as typed
    if archive.returncode:
        raise Failure(f"AGAINST={commit}: {archive.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", str(path)], input=archive.stdout, check=True)  # noqa: S603, S607 # fixed
    lock = "web/requirements-native.txt"
    if (path / lock).read_bytes() == (copies.ROOT / lock).read_bytes():
        (path / "venv").symlink_to(copies.ROOT / "venv")


def remove(stack: Stack) -> None:
    """End the stack and delete the copy, however often Ctrl-C is pressed."""
    handler: Any = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if (stack.path / ".native").exists():
            stack.make("clean", True, sure="yes")
    finally:
        shutil.rmtree(stack.path, ignore_errors=True)
        signal.signal(signal.SIGINT, handler)
