"""What stands in the way, each told in one line."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.checkouts import OWNER, Checkout
from tests.engines import services
from tests.support import cannot_run, wait_until


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
