"""What engine `native` has to see to by itself, since no Docker does."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from tests.checkouts import Checkout
from tests.engines import NativeStack, listening, services
from tests.support import wait_until

# --- the first run ---


def test_later_up_needs_no_network(other: Checkout) -> None:
    other.make("up")
    other.make("down")
    assert "Ready: " in other.make("up", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_NO_CACHE_DIR="1")


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
    with subprocess.Popen(["sleep", "infinity"]) as stranger:
        try:
            for verb, shown in (("down", "Stopped"), ("up", "Ready: ")):
                for file in ("run/web.pid", "run/nginx.pid", "db/postmaster.pid"):
                    (other.path / ".native" / file).write_text(f"{stranger.pid}\n")
                assert shown in other.make(verb)
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_checkout_that_is_moved_while_up_still_owns_its_servers(clone: Callable[[str], Checkout]) -> None:
    """Another in its place spares them."""
    moved, new = clone("moved"), clone("new")
    moved.make("up")
    pids = [int(pid) for pid in services(moved).values()]
    place = moved.path
    moved.path = place.rename(place.with_name("away"))
    new.path = new.path.rename(place)
    new.make("up")
    new.make("clean", "sure=yes")
    assert {"db", "nginx"} <= set(services(moved))
    moved.make("down")
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)
    assert "Ready: " in moved.make("up")
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
