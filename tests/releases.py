"""A checkout in production, with commits of its own, and what can be told of the releases that it serves."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.checkouts import Checkout, replace
from tests.copies import production_settings, write_settings
from tests.engines import engine
from tests.support import PATIENCE, ROOT, get, repeating

# The checkout is another user's where the tests run as root.
GIT = "[safe]\n\tdirectory = *\n[user]\n\tname = test\n\temail = test@localhost\n"
DUE = "a deploy is due: make deploy"
REVISION = """revision = "{name}"
down_revision = "{before}"
branch_labels = depends_on = None
backward_compatible = {compatible}


def upgrade() -> None:
    from alembic import op

    op.execute("{statement}")
"""


def say(checkout: Checkout, status: str) -> None:
    """Have /healthz of a checkout say something else."""
    path = checkout.path / "web/slipway/http/health.py"
    path.write_text(re.sub(r'{"status": "\w+"}', f'{{"status": "{status}"}}', path.read_text(), count=1))


def said(checkout: Checkout) -> str:
    """Return what /healthz says."""
    return str(get(f"{checkout.url}/healthz").json()["status"])


class Production(Checkout):
    """Such a checkout; `tags` names the releases by what their /healthz says."""

    def __init__(self, clone: Checkout) -> None:
        super().__init__(clone.path, clone.environment)
        self.project = f"slipway-test-releases-{os.getpid()}-{self.environment['HTTP_PORT']}"
        self.tags: dict[str, str] = {}
        settings = production_settings(int(self.environment["HTTP_PORT"]))
        more = {"COMPOSE_PROJECT_NAME": self.project, "ENGINE": engine(), "WEB_WORKERS": "2"}
        write_settings(self.path / ".env", settings | more)
        (self.path / ".env").chmod(0o600)
        (Path(self.environment["HOME"]) / ".gitconfig").write_text(GIT)
        self.git("init", "--quiet")

    # --- The sources ---

    def git(self, *arguments: str) -> str:
        """Run git in the checkout; return what it prints."""
        return subprocess.check_output(["git", *arguments], cwd=self.path, env=self.environment, text=True)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file."""
        replace(self.path / name, old, new)

    def say(self, status: str) -> None:
        """Have /healthz say something else."""
        say(self, status)

    def migrate(self, name: str, statement: str, compatible: bool = True) -> None:
        """Add a migration."""
        folder = self.path / "web/migrations/versions"
        texts = [path.read_text() for path in folder.glob("*.py")]
        befores, all_of_them = (
            {found for text in texts for found in re.findall(rf"(?m)^{key} = ['\"](\w+)", text)}
            for key in ("down_revision", "revision")
        )
        [before] = all_of_them - befores
        text = REVISION.format(name=name, before=before, statement=statement, compatible=compatible)
        (folder / f"99991231_235959_{name}.py").write_text(text)

    def commit(self, status: str) -> None:
        """Make a commit of all, which as a release says `status`."""
        self.say(status)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", status)
        self.tags[status] = self.git("rev-parse", "--short=12", "HEAD").strip()

    def restore(self) -> None:
        """Take back what was changed since the last commit."""
        self.git("reset", "--quiet", "--hard")
        self.git("clean", "--quiet", "--force")

    # --- What serves ---

    def status(self) -> str:
        """Return what /healthz says."""
        return said(self)

    def style(self) -> str:
        """Return the address of the style sheet that the first page links."""
        [found] = re.findall(r'href="(/static/style\.[0-9a-f]{12}\.css)"', get(self.url).text)
        return str(found)

    def running(self, service: str) -> set[str]:
        """Return what there is of a service: containers, whatever their state, or main processes."""
        if engine() == "docker":
            return set(self.containers(f"label=com.docker.compose.service={service}"))
        command = [str(ROOT / "venv/bin/python"), "engines/servers.py"]
        states = subprocess.check_output(command, cwd=self.path, text=True)
        found = re.findall(rf"(?m)^{'web-[ab]' if service == 'web' else service} (.+)$", states)
        return {state for state in found if state != "stopped"}

    def containers(self, *filters: str) -> list[str]:
        """Return the containers of the stack, newest first, without those that only run a command."""
        mine = (f"label=com.docker.compose.project={self.project}", "label=com.docker.compose.oneoff=False")
        options = [f"--filter={each}" for each in (*mine, *filters)]
        return subprocess.check_output(["docker", "ps", "--all", "--quiet", *options], text=True).split()

    def since(self, service: str) -> str:
        """Return what is another after a restart of a service."""
        [one] = self.running(service)
        if engine() == "native":
            return one
        command = ["docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", one]
        return subprocess.check_output(command, text=True)

    def revision(self) -> str:
        """Return the migration that the database has had last."""
        screen = self.make("psql", stdin="SELECT 'head ' || version_num FROM alembic_version")
        [found] = re.findall(r"head (\w+)", screen)
        return str(found)

    def assert_whole(self) -> None:
        """Assert that one web is there, and that it is of the release which is noted as the present one."""
        assert len(self.running("web")) == 1
        assert self.tags[self.status()] == self.present()

    # --- The releases that are kept ---

    def releases(self) -> list[str]:
        """Return the list of them, oldest first; behind one that was gone back from stands "back"."""
        if engine() == "native":
            return (self.path / ".native/releases/list").read_text().splitlines()
        return self.in_nginx("cat /var/lib/nginx/releases").splitlines()

    def present(self) -> str:
        """Return the one that serves, or is to."""
        return [line for line in self.releases() if " " not in line][-1]

    def add_oldest(self, *tags: str) -> None:
        """Have there been releases before the others, which are copies of the present one."""
        text = "".join(f"{line}\n" for line in (*tags, *self.releases()))
        for tag in tags:
            self.copy_release(tag)
        if engine() == "native":
            (self.path / ".native/releases/list").write_text(text)
        else:
            self.in_nginx("cat >/var/lib/nginx/releases", text)

    def copy_release(self, tag: str) -> None:
        """Copy the present one."""
        if engine() == "native":
            folder = self.path / ".native/releases"
            shutil.copytree(folder / self.present(), folder / tag)
        else:
            image = f"{self.project}-web"
            subprocess.run(["docker", "tag", f"{image}:{self.present()}", f"{image}:{tag}"], check=True)

    def kept(self) -> set[str]:
        """Return those that are there."""
        if engine() == "native":
            return {path.name for path in (self.path / ".native/releases").iterdir() if path.is_dir()}
        command = ["docker", "images", "--format", "{{.Tag}}", f"{self.project}-web"]
        return set(subprocess.check_output(command, text=True).split()) - {"latest"}

    def in_nginx(self, script: str, stdin: str = "") -> str:
        """Run a shell script in nginx's container; return what it prints."""
        [nginx] = self.running("nginx")
        command = ["docker", "exec", "--interactive", nginx, "sh", "-c", script]
        return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, check=True).stdout


class Typed:
    """A verb while it runs, in a process group of its own, of which nothing outlives the `with`."""

    def __init__(self, checkout: Checkout, verb: str, *variables: str) -> None:
        self.screen = ""
        self.process = subprocess.Popen(
            ["make", "--no-print-directory", verb, *variables],
            cwd=checkout.path,
            env=checkout.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.finish()

    def await_step(self, text: str) -> None:
        """Wait until it tells that it begins with this."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.screen += line
            if line.startswith("==> ") and text in line:
                return
        pytest.fail(f"{text} is no step of it:\n{self.screen}")

    def interrupt(self, number: signal.Signals) -> None:
        """Send a signal to all of it, and wait until the last of its processes is gone."""
        os.killpg(self.process.pid, number)
        self.finish()

    def finish(self) -> int:
        """Wait for its end, that of what it has started included; return the exit status."""
        assert self.process.stdout is not None
        guard = threading.Timer(PATIENCE, self.kill)
        guard.start()
        if not self.process.stdout.closed:
            self.screen += self.process.stdout.read()
            self.process.stdout.close()
        guard.cancel()
        return self.process.wait()

    def kill(self) -> None:
        """End all of it, if it has not ended."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@contextmanager
def posting_notes(url: str, threads: int) -> Iterator[list[tuple[int, int]]]:
    """Create notes again and again, and yield the status and the id of each; 0 where none came."""
    answers: list[tuple[int, int]] = []

    def post(client: httpx.Client) -> None:
        status, number = 0, 0
        try:
            answer = client.post("/api/notes", json={"title": "must not be lost"})
            status, number = answer.status_code, answer.json().get("id", 0)
        finally:
            answers.append((status, number))

    with repeating(post, url, threads):
        yield answers


@contextmanager
def unchanged(production: Production) -> Iterator[None]:
    """Assert that what serves is the same afterwards, and answers."""

    def look() -> dict[str, str]:
        servers = {name: production.since(name) for name in ("db", "web", "nginx")}
        schema, release = production.revision(), production.present()
        return servers | {"status": production.status(), "schema": schema, "release": release}

    before = look()
    yield
    assert look() == before
    assert production.is_ready()


def refused(production: Production, *variables: str) -> str:
    """Type `make deploy`, which is to fail; return what is on the screen."""
    run = production.try_make("deploy", *variables)
    assert run.returncode != 0
    return run.stdout
