"""What the tests do to a stack on either engine, beside typing verbs: look at its services, end them."""

import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from functools import cache

import httpx
import psutil

from tests.checkouts import Checkout
from tests.support import PATIENCE, ROOT, wait_until


@cache
def docker_answers() -> bool:
    """Tell whether a Docker engine may be used here."""
    return (
        bool(shutil.which("docker"))
        and not subprocess.run(["docker", "info"], capture_output=True).returncode
    )


def engine() -> str:
    """Return the engine that the stack tests run on: ENGINE, else docker where an engine answers."""
    return os.environ.get("ENGINE") or ("docker" if docker_answers() else "native")


class Stack(ABC):
    """A running stack: where it is served, and what can be done to its services (db, web, nginx)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=PATIENCE)

    @abstractmethod
    def logs(self, service: str) -> str:
        """Return the log of `service`."""

    @abstractmethod
    def start(self, service: str) -> None:
        """Start `service`, and wait until it is well."""

    @abstractmethod
    def stop(self, service: str) -> None:
        """Stop `service`."""

    @abstractmethod
    def workers(self) -> set[int]:
        """Return the pids of web's gunicorn workers, as `kill` takes them."""

    @abstractmethod
    def kill(self, pid: int) -> None:
        """End a process of the stack by SIGKILL."""

    def is_ready(self) -> bool:
        """Tell whether the app answers through nginx, its database migrated."""
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_ready(self) -> None:
        """Wait until the stack answers."""
        wait_until(self.is_ready, "the stack to be ready")


class DockerStack(Stack):
    """The services of docker-compose.yml, by `command`, which is Docker Compose with its options."""

    def __init__(self, command: list[str], environment: dict[str, str], url: str) -> None:
        super().__init__(url)
        self.command = command
        self.environment = environment

    def compose(self, *arguments: str) -> str:
        """Run Docker Compose; return what it prints."""
        run = subprocess.run(
            [*self.command, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def logs(self, service: str) -> str:
        return self.compose("logs", "--no-log-prefix", "--no-color", service)

    def start(self, service: str) -> None:
        self.compose("up", "--detach", "--no-deps", "--wait", service)

    def stop(self, service: str) -> None:
        self.compose("stop", service)

    def inspect(self, service: str, what: str) -> str:
        """Return a field of the first container of `service`."""
        container = self.compose("ps", "--quiet", service).split()[0]
        return subprocess.check_output(["docker", "inspect", "--format", what, container], text=True).strip()

    def pid(self, service: str) -> int:
        """Return the pid, on the engine's host, of the first process of `service`."""
        return int(self.inspect(service, "{{.State.Pid}}"))

    def on_host(self, script: str) -> str:
        """Run a shell script among the processes of the engine's host, which need not be this machine."""
        image = self.inspect("web", "{{.Config.Image}}")
        command = ["docker", "run", "--rm", "--privileged", "--pid", "host", "--user", "0"]
        return subprocess.check_output([*command, "--entrypoint", "sh", image, "-c", script], text=True)

    def children(self, pid: int) -> set[int]:
        """Return the pids of the processes that `pid` has started."""
        return {int(child) for child in self.on_host(f"cat /proc/{pid}/task/{pid}/children").split()}

    def workers(self) -> set[int]:
        [master] = self.children(self.pid("web"))
        return self.children(master)

    def kill(self, pid: int) -> None:
        self.on_host(f"kill -9 {pid}")


class NativeStack(Stack):
    """The processes that a checkout has started."""

    def __init__(self, checkout: Checkout) -> None:
        super().__init__(checkout.url)
        self.checkout = checkout

    def logs(self, service: str) -> str:
        return (self.checkout.path / ".native" / "log" / f"{service}.log").read_text(errors="replace")

    def start(self, service: str) -> None:
        self.checkout.make("up")

    def stop(self, service: str) -> None:
        command = [str(ROOT / "venv/bin/python"), "engines/servers.py", "stop", service]
        subprocess.run(command, cwd=self.checkout.path, check=True)

    def pid(self, service: str) -> int:
        """Return the pid of the main process of `service`."""
        return int(services(self.checkout)[service])

    def workers(self) -> set[int]:
        return {worker.pid for worker in psutil.Process(self.pid("web")).children()}

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)


def services(checkout: Checkout) -> dict[str, str]:
    """Return the services of a checkout's stack that run, each with what tells it from a later one."""
    if engine() == "native":
        lines = (line.split() for line in checkout.make("ps").splitlines())
        return {line[0]: line[2] for line in lines if line[1] == "running"}
    label = f"label=com.docker.compose.project={checkout.setting('COMPOSE_PROJECT_NAME')}"
    form = '{{.Label "com.docker.compose.service"}} {{.ID}}'
    listing = subprocess.check_output(["docker", "ps", "--filter", label, "--format", form], text=True)
    return dict(line.split() for line in listing.splitlines())


def has_data(checkout: Checkout) -> bool:
    """Tell whether anything of a checkout's stack is left."""
    if engine() == "native":
        return (checkout.path / ".native").exists()
    name = f"name={checkout.setting('COMPOSE_PROJECT_NAME')}"
    volumes = subprocess.check_output(["docker", "volume", "ls", "-q", "--filter", name], text=True)
    containers = subprocess.check_output(["docker", "ps", "--all", "-q", "--filter", name], text=True)
    return volumes + containers != ""


def listening(port: int) -> set[str]:
    """Return the addresses of this machine on which something listens on `port`."""
    connections = (c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN)
    return {c.laddr.ip for c in connections if c.laddr and c.laddr.port == port}


def stored_ids(stack: Stack) -> set[int]:
    """Return the ids of all the notes."""
    found: set[int] = set()
    url = "/api/notes?limit=100"
    while url:
        page = stack.http.get(url).json()
        found |= {note["id"] for note in page["items"]}
        url = page["next"]
    return found
