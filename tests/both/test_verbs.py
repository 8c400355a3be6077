"""The verbs of development: what is done to the servers, which each engine does by itself."""

import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.checkouts import Checkout
from tests.engines import has_data, services
from tests.support import post, wait_until


def test_two_at_once_take_turns(checkout: Checkout) -> None:
    with ThreadPoolExecutor() as pool:
        screens = list(pool.map(lambda _: checkout.make("up"), range(2)))
    assert all("Ready: " in screen for screen in screens)
    assert any("Waiting for another make at work on this stack" in screen for screen in screens)


def test_broken_configuration_of_nginx_is_shown_and_the_old_one_serves_on(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    edit("nginx/nginx.conf", "http {", "http {\n  bogus on;")
    run = checkout.try_make("up")
    assert run.returncode != 0
    assert 'unknown directive "bogus"' in run.stdout
    assert "nginx refuses its configuration, for the reason above; what was running still is" in run.stdout
    assert checkout.is_ready()


def test_up_mends_what_failed_over_and_over(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    edit("web/config.py", "import os\n", "impart os\n")
    run = checkout.try_make("restart", "S=web")
    assert run.returncode != 0
    assert "SyntaxError" in run.stdout
    assert "not well: web" in run.stdout
    edit("web/config.py", "impart os\n", "import os\n")
    assert "Ready: " in checkout.make("up")


def test_migrate_writes_a_revision_of_the_checkouts_owner(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    edit("web/app/notes/models.py", "    body:", "    added_by_a_test: Mapped[str | None]\n    body:")
    screen = checkout.make("migrate", "m=Written by a test")
    [revision] = (checkout.path / "web/migrations/versions").glob("*_written_by_a_test.py")
    assert f"web/migrations/versions/{revision.name}" in screen
    assert revision.stat().st_uid == (checkout.path / "web").stat().st_uid

    def has_column() -> bool:
        answer = post(f"{checkout.url}/api/notes", json={"title": "a", "added_by_a_test": "b"})
        return answer.status_code == 201 and answer.json()["added_by_a_test"] == "b"

    wait_until(has_column, "the new column to be served")
    edit("web/app/notes/models.py", "    added_by_a_test: Mapped[str | None]\n", "")
    run = checkout.try_make("migrate")
    assert run.returncode != 0
    assert "this would drop the column notes.added_by_a_test, which has a value in " in run.stdout
    assert "make migrate drop=yes" in run.stdout
    checkout.make("migrate", "drop=yes")
    assert "nothing to migrate" in checkout.make("migrate")


def test_taken_port_is_told_with_the_line_to_change(
    checkout: Checkout, clone: Callable[[str], Checkout]
) -> None:
    other = clone("other")
    taken = checkout.environment["HTTP_PORT"]
    run = other.try_make("up", HTTP_PORT=taken)
    assert run.returncode != 0
    assert re.search(rf"port {taken} is taken by .+; set another in \.env: HTTP_PORT=\d+", run.stdout)


def test_env_that_was_deleted_does_not_part_the_checkout_from_its_stack(
    clone: Callable[[str], Checkout],
) -> None:
    other = clone("forgetful")
    other.make("up")
    kept = (other.path / ".env").read_text()
    (other.path / ".env").unlink()
    run = other.try_make("up")
    assert run.returncode != 0
    assert "there is no .env, but a database that an earlier one made: put that .env back" in run.stdout
    assert not (other.path / ".env").exists()
    other.make("down")
    other.make("clean", "sure=yes")
    (other.path / ".env").write_text(kept)
    assert not has_data(other)


def test_checkout_behind_a_symbolic_link_is_the_same(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(checkout.path)
    linked = Checkout(tmp_path / "link", checkout.environment | {"PWD": str(tmp_path / "link")})
    checkout.make("up")
    before = services(checkout)
    linked.make("up")
    assert services(checkout) == before


def test_service_that_is_not_running_is_told(checkout: Checkout, clone: Callable[[str], Checkout]) -> None:
    other = clone("down")
    shutil.copy2(checkout.path / ".env", other.path / ".env")
    with (other.path / ".env").open("a") as file:
        file.write("COMPOSE_PROJECT_NAME=slipway-test-down\n")
    run = other.try_make("shell")
    assert run.returncode != 0
    assert "web is not running; type make up" in run.stdout
