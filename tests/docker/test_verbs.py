"""What only containers can have wrong."""

import shutil
import subprocess
from collections.abc import Callable

from tests.checkouts import Checkout


def test_compose_config_is_quiet(checkout: Checkout) -> None:
    run = subprocess.run(
        ["docker", "compose", "config", "--quiet"],
        cwd=checkout.path,
        env=checkout.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout + run.stderr == ""


def test_password_that_the_database_does_not_know_is_told(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    edit(".env", "POSTGRES_PASSWORD=", "POSTGRES_PASSWORD=not")
    run = checkout.try_make("up")
    assert run.returncode != 0
    assert "refuses the password. If .env was changed, put the old password back" in run.stdout
    assert "make psql, then \\password. The data is untouched." in run.stdout
    edit(".env", "POSTGRES_PASSWORD=not", "POSTGRES_PASSWORD=")
    checkout.make("up")


def test_static_files_that_nginx_cannot_read_are_told(clone: Callable[[str], Checkout]) -> None:
    checkout = clone("strict umask")
    (checkout.path / "web/app/static/style.css").chmod(0o600)
    run = checkout.try_make("up")
    assert run.returncode != 0
    assert "nginx cannot read web/app/static" in run.stdout
    assert "type chmod -R o+rX web/app/static" in run.stdout


def test_copied_env_is_refused(checkout: Checkout, clone: Callable[[str], Checkout]) -> None:
    other = clone("copy")
    shutil.copy2(checkout.path / ".env", other.path / ".env")
    run = other.try_make("up")
    assert run.returncode != 0
    assert f"belongs to {checkout.path}" in run.stdout
