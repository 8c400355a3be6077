"""What engine `native` has to see to by itself, since no Docker does."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from engines.copies import free_port
from tests.checkouts import OWNER, Checkout
from tests.engines import NativeStack, listening, services
from tests.support import cannot_run, wait_until

pytestmark = pytest.mark.only("native", because="it is about processes of this machine")
NO_DOCKER = "unix:///nowhere.sock"


@pytest.fixture(scope="module")
def other(clone: Callable[[str], Checkout]) -> Iterator[Checkout]:
    """A checkout to do as one likes with."""
    other = clone("other")
    yield other
    other.make("clean", "sure=yes")


@pytest.fixture
def bare(clone: Callable[[str], Checkout]) -> Iterator[Checkout]:
    """A checkout without a virtualenv, on a machine where no Docker engine answers."""
    bare = clone("a bare checkout")
    (bare.path / "venv").unlink()
    bare.environment["DOCKER_HOST"] = NO_DOCKER
    del bare.environment["ENGINE"]
    yield bare
    if (bare.path / "venv" / "path").exists():
        bare.make("clean", "sure=yes")


def stop_at(checkout: Checkout, line: str) -> None:
    """Type `make up`, and cut its power at the line that begins with `line`."""
    up = subprocess.Popen(
        ["make", "up"],
        cwd=checkout.path,
        env=checkout.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert up.stdout is not None
    seen = next((seen for seen in up.stdout if seen.startswith(line)), "")
    os.killpg(up.pid, signal.SIGKILL)
    up.wait()
    up.stdout.close()
    assert seen


# --- the first run ---


def test_first_up_needs_python_and_make_alone(bare: Checkout) -> None:
    screen = bare.make("up")
    steps = [line for line in screen.splitlines() if line.startswith("==> ")]
    assert "ENGINE=native, as no Docker engine answers here; the other is ENGINE=docker" in steps[0]
    words = ("Wrote", "Making", "Installing", "Making", "Starting", "Migrating", "Starting", "Ready:")
    assert [step.split()[1] for step in steps] == list(words)
    assert bare.setting("ENGINE") == "native"


def test_first_up_that_was_interrupted_is_begun_again(bare: Checkout) -> None:
    for line in ("==> Making the virtualenv", "==> Installing", "==> Making the database", "==> Migrating"):
        stop_at(bare, line)
    assert "Ready: " in bare.make("up")


def test_later_up_needs_no_network(other: Checkout) -> None:
    other.make("up")
    other.make("down")
    assert "Ready: " in other.make("up", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_NO_CACHE_DIR="1")


def test_index_that_cannot_be_reached_is_told(bare: Checkout) -> None:
    run = bare.try_make("up", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_NO_CACHE_DIR="1")
    assert run.returncode != 0
    assert "make up: the package index cannot be reached; go online once, or name yours" in run.stdout


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP; yield its URL."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: listening(port), "the index to be served")
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.wait()


def test_missing_wheel_is_told(bare: Checkout, tmp_path: Path) -> None:
    with served(tmp_path) as url:
        run = bare.try_make("up", PIP_INDEX_URL=url, PIP_NO_CACHE_DIR="1", PIP_FIND_LINKS="")
    assert run.returncode != 0
    assert re.search(r"make up: there is no wheel of \S+ for \S+ \S+ with Python 3", run.stdout)


@pytest.mark.parametrize(
    ("stand_in", "line"),
    [
        (
            'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac',
            "venv module; Python 3.9.2",
        ),
        (
            'case "$*" in *ensurepip*) exit 1 ;; *) exec "$REAL" "$@" ;; esac',
            "lacks its venv module",
        ),
    ],
)
def test_python_that_does_not_do_is_told(bare: Checkout, tmp_path: Path, stand_in: str, line: str) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{stand_in}\n")
        (tmp_path / name).chmod(0o755)
    run = bare.try_make("up", PATH=f"{tmp_path}:{bare.environment['PATH']}", REAL=sys.executable)
    assert run.returncode != 0
    [told] = [told for told in run.stdout.splitlines() if told.startswith("make up: ")]
    assert told.startswith("make up: needs Python 3.11 to 3.14")
    assert line in told


# --- whose process it is ---


def test_servers_listen_on_localhost_or_a_socket_only(native_stack: NativeStack) -> None:
    port = int(native_stack.checkout.environment["HTTP_PORT"])
    assert listening(port) == {"127.0.0.1"}
    for service in ("db", "web", "nginx"):
        main = psutil.Process(native_stack.pid(service))
        for process in [main, *main.children(recursive=True)]:
            found = {c.laddr for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN}
            assert found <= {("127.0.0.1", port)}


@pytest.mark.root
def test_postgres_is_not_root(native_stack: NativeStack) -> None:
    assert psutil.Process(native_stack.pid("db")).uids().effective != 0


def test_process_that_has_the_pid_of_a_server_is_spared(other: Checkout) -> None:
    other.make("up")
    other.make("down")
    stranger = subprocess.Popen(["sleep", "600"])
    for file in ("run/web.pid", "run/nginx.pid", "db/postmaster.pid"):
        (other.path / ".native" / file).write_text(f"{stranger.pid}\n")
    other.make("down")
    for file in ("run/web.pid", "run/nginx.pid", "db/postmaster.pid"):
        (other.path / ".native" / file).write_text(f"{stranger.pid}\n")
    assert "Ready: " in other.make("up")
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_checkout_that_is_moved_while_up_still_owns_its_servers(clone: Callable[[str], Checkout]) -> None:
    before = clone("before")
    before.make("up")
    pids = [int(pid) for pid in services(before).values()]
    after = Checkout(before.path.rename(before.path.with_name("after")), before.environment)
    after.make("down")
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)
    assert "Ready: " in after.make("up")
    after.make("clean", "sure=yes")


def test_checkout_in_the_place_of_a_moved_one_spares_its_servers(
    clone: Callable[[str], Checkout],
) -> None:
    moved, new = clone("moved"), clone("new")
    moved.make("up")
    place = moved.path
    moved.path = place.rename(place.with_name("away"))
    new.path = new.path.rename(place)
    new.make("up")
    new.make("clean", "sure=yes")
    assert {"db", "nginx"} <= set(services(moved))
    moved.make("clean", "sure=yes")


def test_copy_does_not_own_the_servers_of_its_original(other: Checkout, tmp_path: Path) -> None:
    other.make("up")
    subprocess.run(["cp", "-a", other.path, tmp_path / "copy"], check=True)
    copy = Checkout(tmp_path / "copy", other.environment)
    assert services(copy) == {}
    copy.make("down")
    copy.make("clean", "sure=yes")
    assert len(services(other)) == 3
    assert other.is_ready()


def test_path_longer_than_that_of_a_socket_works(clone: Callable[[str], Checkout]) -> None:
    deep = clone("-".join(["deep"] * 25))
    assert "Ready: " in deep.make("up")
    deep.make("clean", "sure=yes")


def test_code_that_changed_is_served_after_a_deploy(native_stack: NativeStack) -> None:
    checkout = native_stack.checkout
    path = checkout.path / "web/app/health/pages.py"
    before, source = services(checkout), path.read_text()
    checkout.make("up")
    assert services(checkout) == before
    path.write_text(source.replace('"ok"', '"changed"'))
    checkout.make("deploy", "WATCH=0")
    answer = native_stack.http.get("/healthz").text
    path.write_text(source)
    checkout.make("deploy", "WATCH=0")
    assert '"changed"' in answer
    assert services(checkout)["db"] == before["db"]


def test_static_file_that_changed_has_another_name_and_the_one_before_stays(
    native_stack: NativeStack,
) -> None:
    def linked() -> str:
        return str(re.findall(r'href="(/static/style[^"]+)"', native_stack.http.get("/").text)[0])

    checkout = native_stack.checkout
    path = checkout.path / "web/app/static/style.css"
    source, before = path.read_text(), linked()
    path.write_text(source + "p { color: red; }\n")
    checkout.make("deploy", "WATCH=0")
    after = linked()
    texts = [native_stack.http.get(link).text for link in (before, after)]
    path.write_text(source)
    checkout.make("deploy", "WATCH=0")
    assert texts == [source, source + "p { color: red; }\n"]
    assert linked() == before != after


# --- its surroundings ---


def test_database_of_another_is_used_where_one_is_named(
    clone: Callable[[str], Checkout], native_stack: NativeStack
) -> None:
    guest = clone("guest")
    folder = quote(str(native_stack.checkout.path / ".native/db"), safe="")
    guest.make("up", DATABASE_URL=f"postgresql://app@/app?host={folder}")
    native_stack.http.post("/api/notes", json={"title": "of the host"})
    assert guest.titles()[0] == "of the host"
    assert set(services(guest)) == {"web", "nginx"}
    assert "of the host" in guest.make(
        "psql", stdin="SELECT title FROM notes", DATABASE_URL=f"postgresql://app@/app?host={folder}"
    )


def test_variables_of_this_shell_do_not_reach_the_servers(
    other: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOSTADDR", "PGSERVICE", "GUNICORN_CMD_ARGS"):
        monkeypatch.setitem(other.environment, name, "--bind 192.0.2.1:1")
    other.make("down")
    assert "Ready: " in other.make("up")
    assert "from app" in other.make("psql", stdin="SELECT 'from ' || current_user")


# --- what stands in the way ---


def test_data_of_a_newer_postgres_is_told(other: Checkout) -> None:
    other.make("up")
    other.make("down")
    version = other.path / ".native" / "db" / "PG_VERSION"
    written = version.read_text()
    version.write_text("99\n")
    run = other.try_make("up")
    version.write_text(written)
    assert run.returncode != 0
    assert "was written by Postgres 99, and this code has 18; go back to the code that wrote it" in run.stdout


@pytest.mark.root
def test_full_disk_is_told(clone: Callable[[str], Checkout]) -> None:
    full = clone("full")
    state = full.path / ".native"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", state], check=True)
    try:
        run = full.try_make("up")
    finally:
        subprocess.run(["umount", state], check=True)
    assert run.returncode != 0
    assert f"make up: no space is left for initdb in {state}" in run.stdout
    assert "Ready: " in full.make("up")
    full.make("clean", "sure=yes")


@pytest.mark.root
def test_port_of_root_is_told(clone: Callable[[str], Checkout]) -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 90:
        cannot_run("anybody may open any port here")
    run = clone("low").try_make("up", HTTP_PORT="90", user=OWNER)
    assert run.returncode != 0
    assert "make up: port 90 is for root alone; set another in .env: HTTP_PORT=80" in run.stdout


@pytest.mark.root
def test_user_without_a_name_is_told(clone: Callable[[str], Checkout]) -> None:
    run = clone("nameless").try_make("up", user=OWNER)
    assert run.returncode != 0
    assert f"make up: this user has no name (uid {OWNER} is not in /etc/passwd)" in run.stdout


@pytest.mark.root
def test_checkout_of_another_user_is_told(clone: Callable[[str], Checkout]) -> None:
    theirs = clone("theirs")
    run = theirs.try_make("up", user=OWNER + 1)
    assert run.returncode != 0
    assert f"make up: you may not write in {theirs.path}, which belongs to {OWNER}" in run.stdout


@pytest.mark.root
def test_state_of_another_user_is_told(clone: Callable[[str], Checkout]) -> None:
    theirs = clone("theirs")
    theirs.make("up")
    theirs.make("down")
    for line in (".env cannot be read, as it belongs to root", "belongs to root; type sudo make down, then"):
        run = theirs.try_make("up", user=OWNER)
        assert run.returncode != 0
        assert line in run.stdout
        os.chown(theirs.path / ".env", OWNER, OWNER)
    theirs.make("clean", "sure=yes")


@pytest.mark.root
def test_root_does_not_go_on_with_what_a_user_has_started(clone: Callable[[str], Checkout]) -> None:
    started = clone("by a user")
    shutil.copy2(started.path / ".env.example", started.path / ".env")
    (started.path / ".native").mkdir()
    os.chown(started.path / ".native", OWNER, OWNER)
    run = started.try_make("restart")
    assert f"make restart: the stack here is {OWNER}'s; type make restart as them" in run.stdout


def test_path_that_the_servers_do_not_take_is_told(clone: Callable[[str], Checkout]) -> None:
    run = clone("a$b").try_make("up")
    assert run.returncode != 0
    assert "which the servers do not take; move the checkout" in run.stdout


def test_address_that_is_not_of_this_machine_is_told(clone: Callable[[str], Checkout]) -> None:
    run = clone("astray").try_make("up", HTTP_BIND="192.0.2.1")
    assert run.returncode != 0
    assert "make up: .env: HTTP_BIND=192.0.2.1 is not an address of this machine" in run.stdout


def test_restart_that_would_wait_for_a_dead_database_is_refused(other: Checkout) -> None:
    other.make("up")
    psutil.Process(int(services(other)["db"])).kill()
    wait_until(lambda: "db" not in services(other), "its death")
    run = other.try_make("restart", "S=web")
    assert run.returncode != 0
    assert "make restart: db is not running; type make up" in run.stdout


def test_replicas_are_said_to_be_for_containers(other: Checkout) -> None:
    assert "WEB_REPLICAS is for containers; here WEB_WORKERS" in other.make("up", WEB_REPLICAS="2")


def test_log_that_has_grown_long_is_put_aside(other: Checkout) -> None:
    other.make("up")
    log = other.path / ".native" / "log" / "web.log"
    with log.open("a") as file:
        file.write("x" * 11_000_000)
    other.make("restart", "S=web")
    assert log.stat().st_size < 1_000_000
    assert log.with_name("web.log.1").stat().st_size > 11_000_000


def test_orphans_of_nginx_do_not_hold_the_port(other: Checkout) -> None:
    other.make("up")
    main = psutil.Process(int(services(other)["nginx"]))
    orphans = main.children()
    main.kill()
    wait_until(lambda: re.search(r"^nginx +died", other.make("ps"), re.MULTILINE), "its death to be named")
    assert all(orphan.is_running() for orphan in orphans)
    other.make("down")
    assert not any(orphan.is_running() and orphan.status() != "zombie" for orphan in orphans)


def test_crash_of_the_app_is_shown(native_stack: NativeStack) -> None:
    checkout = native_stack.checkout
    path = checkout.path / "web/run.py"
    source = path.read_text()
    path.write_text(source.replace("app = make(settings)", "raise ValueError('broken by a test')"))
    run = checkout.try_make("deploy")
    path.write_text(source)
    assert run.returncode != 0
    assert "ValueError: broken by a test" in run.stdout
    assert "what was serving still is" in run.stdout
