"""A copy of this repository, in which the verbs of the Makefile are typed."""

import os
import re
import subprocess
from pathlib import Path

import httpx

from engines import copies

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
            return httpx.get(self.url + path, timeout=20)
        except httpx.TransportError:
            return None

    def create_note(self, **fields: str) -> httpx.Response:
        """Create a note."""
        return httpx.post(f"{self.url}/api/notes", json=fields, timeout=20)

    def titles(self) -> list[str]:
        """Return the titles of the newest notes."""
        return [note["title"] for note in httpx.get(f"{self.url}/api/notes", timeout=20).json()["items"]]

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
    """Copy this repository to `path`; where the tests run as root, for another user."""
    copies.copy_repository(path)
    if os.getuid() == 0:
        subprocess.run(["chown", "--recursive", "--no-dereference", f"{OWNER}:{OWNER}", path], check=True)
        for parent in list(path.parents)[:3]:
            parent.chmod(0o755)
