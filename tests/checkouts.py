"""A copy of this repository, in which the verbs of the Makefile are typed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx

from tests import copies
from tests.support import get, post

OWNER = 12345  # of the copy, where the tests run as root and can give it away


class Checkout:
    """A copy of this repository, as `git clone` makes it, and an environment that knows nothing of ours."""

    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self.path = path
        self.environment = environment
        self.url = f"http://127.0.0.1:{environment['HTTP_PORT']}"

    def make(
        self, verb: str, *variables: str, stdin: str = "", user: int | None = None, **environment: str
    ) -> str:
        """Type `make`; return what is on the screen, and fail if the verb does."""
        run = self.try_make(verb, *variables, stdin=stdin, user=user, **environment)
        assert run.returncode == 0, run.stdout
        return run.stdout

    def try_make(
        self, verb: str, *variables: str, stdin: str = "", user: int | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Type `make`; return its outcome."""
        return subprocess.run(
            ["make", "--no-print-directory", verb, *variables],
            cwd=self.path,
            env=self.environment | environment,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=user,
        )

    def get(self, path: str) -> httpx.Response | None:
        """Return the answer to a GET, None where there is none."""
        try:
            return get(self.url + path)
        except httpx.TransportError:
            return None

    def create_note(self, **fields: str) -> httpx.Response:
        """Create a note."""
        return post(f"{self.url}/api/notes", json=fields)

    def titles(self) -> list[str]:
        """Return the titles of the newest notes."""
        return [note["title"] for note in get(f"{self.url}/api/notes").json()["items"]]

    def is_ready(self) -> bool:
        """Tell whether the app answers, its database migrated."""
        answer = self.get("/readyz")
        return answer is not None and answer.status_code == 200

    def setting(self, name: str) -> str:
        """Return a value in .env."""
        [value] = re.findall(rf"^{name}=(.*)$", (self.path / ".env").read_text(), re.MULTILINE)
        return str(value)


def variables(settings: dict[str, str]) -> list[str]:
    """Return `settings` as `make` takes them."""
    return [f"{name}={value}" for name, value in settings.items()]


def copy_repository(path: Path) -> None:
    """Copy this repository to `path`; if the tests run as root, for another user.

    It waits less than a production, whose intervals the drills keep, and has a port of its own for the demo.
    """
    copies.copy_repository(path)
    replace(path / "nginx/snippets/timeouts.conf", "keepalive_min_timeout 10s;", "keepalive_min_timeout 1s;")
    replace(path / "engines/rollout.sh", "LEARN=2 ", "LEARN=1 ")
    replace(path / "docker-compose.yml", "valid=2s;", "valid=1s;")
    replace(path / "engines/verbs.sh", "9400 9401 9402 9403 9404", str(copies.free_port()))
    if os.getuid() == 0:
        subprocess.run(["chown", "--recursive", "--no-dereference", f"{OWNER}:{OWNER}", path], check=True)
        for parent in list(path.parents)[:3]:
            parent.chmod(0o755)


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, once."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def remove_module(checkout: Checkout, many: str) -> None:
    """Delete the folders of a module, and the line that mounts it."""
    for folder in ("web/app", "tests/unit/app"):
        shutil.rmtree(checkout.path / folder / many, ignore_errors=True)
    listing = checkout.path / "web/app/__init__.py"
    listing.write_text(listing.read_text().replace(f'    "{many}",\n', ""))


def kept_databases(screen: str) -> list[str]:
    """Return the databases that `make restore` says it has kept."""
    return re.findall(r"kept as database (\w+)", screen)
