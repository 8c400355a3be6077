"""Finds and stops the servers of engine `native`, in the checkout that is the working directory.

usage: python engines/servers.py
           prints how each is: "NAME running PID", "NAME starting", "NAME died" or "NAME stopped"
       python engines/servers.py stop NAME...
           stops servers, and removes what they have left behind
       python engines/servers.py workers NAME
           prints the pids of a server's workers
       python engines/servers.py ready SOCKET
           succeeds where the app answers there, its database migrated
       python engines/servers.py point LINK TARGET [LINK TARGET]...
           has each LINK point to its TARGET, from one moment to the next
       python engines/servers.py holder PORT
           prints which process listens on PORT, where that may be seen

A process is the checkout's where it is such a server and works in the checkout. A number in a pid file, which
another process may have by now, is never believed.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends this without a traceback
import psutil  # noqa: E402 # takes long enough to be interrupted

ROOT = Path.cwd()
STATE = ROOT / ".native"


def command(process: psutil.Process) -> str:
    """Return the command line of `process`; that of a zombie is empty."""
    return " ".join(process.cmdline()) + " "


def is_in(process: psutil.Process, folder: Path, words: str) -> bool:
    """Tell whether `process` works in `folder`; where that may not be seen, whether its command has `words`.

    The folder goes first: it stays true when a checkout is moved, and another comes into its place.
    """
    try:
        return Path(process.cwd()) == folder
    except psutil.AccessDenied:
        return words in command(process)


def is_db(process: psutil.Process) -> bool:
    """Tell whether `process` is the checkout's Postgres, or a part of it."""
    return process.name() == "postgres" and is_in(process, STATE / "db", f" -D {STATE}/db ")


def is_gunicorn(process: psutil.Process, name: str, app: str) -> bool:
    """Tell whether `process` is the checkout's gunicorn that serves `app`, or a worker of it.

    In production it works in the folder of a release.
    """
    words = command(process)
    ours = f" {app}" in words and f"/.native/run/{name}.pid " in words
    return ours and (
        is_in(process, ROOT / "web", f" {STATE}/run/{name}.pid ")
        or Path(process.cwd()).is_relative_to(STATE / "releases")
    )


def is_web_a(process: psutil.Process) -> bool:
    """Tell whether `process` is of web, in the first of its two places."""
    return is_gunicorn(process, "web-a", "run:app ")


def is_web_b(process: psutil.Process) -> bool:
    """Tell whether `process` is of web, in the second: a rollout has one start beside the other."""
    return is_gunicorn(process, "web-b", "run:app ")


def is_web(process: psutil.Process) -> bool:
    """Tell whether `process` is of the service web."""
    return is_web_a(process) or is_web_b(process)


def is_login(process: psutil.Process) -> bool:
    """Tell whether `process` is of the provider of `make demo-login`."""
    return is_gunicorn(process, "login", "demo_provider:serve(")


def is_nginx(process: psutil.Process) -> bool:
    """Tell whether `process` is the checkout's nginx, or a worker of it."""
    return process.name().startswith("nginx") and is_in(process, STATE, f" -p {STATE}/ ")


@dataclass(frozen=True)
class Server:
    """One of them. `end` is the signal that ends it in good order, within `patience` seconds."""

    owns: Callable[[psutil.Process], bool]
    pid_file: Path
    end: signal.Signals
    patience: float

    def safely_owns(self, process: psutil.Process) -> bool:
        """Tell whether `process`, which may end at any moment, is the server's."""
        try:
            return self.owns(process)
        except psutil.Error:
            return False

    def processes(self) -> list[psutil.Process]:
        """Return the processes of the server."""
        return [process for process in candidates() if self.safely_owns(process)]

    def noted_pid(self) -> int:
        """Return the number in the pid file, 0 where there is none."""
        try:
            return int(self.pid_file.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return 0

    def state(self, noted: int, processes: list[psutil.Process]) -> str:
        """Return "running PID", "starting", "died" or "stopped"."""
        found = {process.pid for process in processes if self.safely_owns(process)}
        if noted in found:
            return f"running {noted}"
        if noted:
            return "died"
        return "starting" if found else "stopped"

    def stop(self) -> None:
        """End the server in good order, or what is left of it, and remove its pid file."""
        noted, found = self.noted_pid(), self.processes()
        pids = {process.pid for process in found}
        for process in found:
            if parent(process) not in pids:
                send(process, self.end if noted in pids else signal.SIGTERM)
        deadline = time.monotonic() + self.patience
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in left:
            send(process, signal.SIGKILL)
        self.pid_file.unlink(missing_ok=True)


def candidates() -> Iterator[psutil.Process]:
    """Yield the processes that work in the checkout, and those of which that may not be seen."""
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            try:
                here = process.cwd().startswith(str(ROOT))
            except psutil.AccessDenied:
                here = True
            if here:
                yield process


def states() -> dict[str, str]:
    """Return how each server is."""
    noted = {name: server.noted_pid() for name, server in SERVERS.items()}
    found = list(candidates())  # after the pid files: a server that is starting writes its own at any moment
    return {name: server.state(noted[name], found) for name, server in SERVERS.items()}


def parent(process: psutil.Process) -> int:
    """Return the pid of the process that has started `process`, which may have ended; 0 then."""
    try:
        return int(process.ppid())
    except psutil.NoSuchProcess:
        return 0


def workers(name: str) -> list[int]:
    """Return the pids of the workers of the server `name`."""
    found = {process.pid: parent(process) for process in SERVERS[name].processes()}
    return [pid for pid, parent in found.items() if parent in found]


def is_ready(path: str) -> bool:
    """Tell whether the app that listens at the socket `path` answers, its database migrated."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(path)
            connection.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b" 200 " in connection.makefile("rb").readline()
    except OSError:
        return False


def point(link: Path, target: str) -> None:
    """Have `link` point to `target`, from one moment to the next."""
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    os.replace(new, link)


def send(process: psutil.Process, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied:
        sys.exit(f"process {process.pid} is {process.username()}'s, who alone can end it")


def holder(port: int) -> str:
    """Return the name and pid of the process that listens on `port`; nothing where that may not be seen."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})" if connection.pid else ""
    return ""


SERVERS = {
    "db": Server(is_db, STATE / "db" / "postmaster.pid", signal.SIGINT, 60),
    "web": Server(is_web, STATE / "run" / "web.pid", signal.SIGTERM, 40),
    "web-a": Server(is_web_a, STATE / "run" / "web-a.pid", signal.SIGTERM, 40),
    "web-b": Server(is_web_b, STATE / "run" / "web-b.pid", signal.SIGTERM, 40),
    "login": Server(is_login, STATE / "run" / "login.pid", signal.SIGTERM, 5),
    "nginx": Server(is_nginx, STATE / "run" / "nginx.pid", signal.SIGQUIT, 50),
}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["stop", *names]:
            for name in names:
                SERVERS[name].stop()
        case ["workers", name]:
            print(*workers(name), sep="\n")  # noqa: T201 # for engines/releases.sh
        case ["ready", path]:
            sys.exit(not is_ready(path))
        case ["point", *pairs]:
            for link, target in zip(pairs[::2], pairs[1::2], strict=True):
                point(Path(link), target)
        case ["holder", port]:
            print(holder(int(port)))  # noqa: T201 # for engines/verbs.sh
        case _:
            for name, state in states().items():
                print(name, state)  # noqa: T201 # for engines/native.sh
