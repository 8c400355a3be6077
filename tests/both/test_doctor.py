"""`make doctor` on what runs: each engine looks at its servers by itself."""

import os
import subprocess

import psutil
import pytest

from tests.checkouts import Checkout
from tests.doctor import Edit, doctor
from tests.engines import engine


def test_nothing_is_found_where_all_is_well(checkout: Checkout) -> None:
    assert doctor(checkout) == []


def test_nothing_is_found_where_nothing_runs(resting: Checkout) -> None:
    assert doctor(resting) == []


@pytest.mark.parametrize(("service", "path"), [("nginx", "nginx/nginx.conf"), ("db", "db/postgresql.conf")])
def test_service_that_is_older_than_its_sources_is_found(
    checkout: Checkout, edit: Edit, service: str, path: str
) -> None:
    edit(path, "# ", "# Edited. ")
    what = f"the image of {service} is older than its sources; type make up"
    if engine() == "native":
        what = f"{service} runs from older files or settings than those here; type make up"
    assert doctor(checkout) == [what]


def test_settings_that_have_not_been_taken_up_are_found(checkout: Checkout, edit: Edit) -> None:
    edit(".env", "#RATE_LIMIT=50", "RATE_LIMIT=51")
    what = "nginx runs with older settings than those here; type make up"
    if engine() == "native":
        what = "nginx runs from older files or settings than those here; type make up"
    assert doctor(checkout) == [what]


def test_services_that_do_not_run_are_found(checkout: Checkout) -> None:
    if engine() == "native":
        subprocess.run(
            ["venv/bin/python", "engines/servers.py", "stop", "web"], cwd=checkout.path, check=True
        )
        pid = int((checkout.path / ".native/run/nginx.pid").read_text())
        for process in [*psutil.Process(pid).children(), psutil.Process(pid)]:
            process.kill()
        states = {"web": "has stopped", "nginx": "has died"}
    else:
        project = checkout.setting("COMPOSE_PROJECT_NAME")
        subprocess.run(["docker", "rm", "--force", f"{project}-web-1"], check=True, capture_output=True)
        subprocess.run(["docker", "stop", f"{project}-nginx-1"], check=True, capture_output=True)
        states = {"web": "is not there", "nginx": "is exited"}
    try:
        found = doctor(checkout)
    finally:
        checkout.make("up")
    for service, state in states.items():
        assert f"{service} {state}; type make logs S={service}, then make up" in found


def test_port_that_another_has_is_found_with_who_has_it(resting: Checkout, stranger: int) -> None:
    name = psutil.Process().name()
    assert any(
        line.startswith(
            f"port {stranger} is taken by {name} (pid {os.getpid()}); set another in .env: HTTP_PORT="
        )
        for line in doctor(resting, f"HTTP_PORT={stranger}")
    )
