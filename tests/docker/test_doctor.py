"""What `make doctor` finds of the engine, and of who is who in its containers."""

from pathlib import Path

import pytest

from tests.checkouts import Checkout
from tests.doctor import Edit, doctor, stand_in


def test_password_that_the_volume_does_not_know_is_found(checkout: Checkout, edit: Edit) -> None:
    edit(".env", "POSTGRES_PASSWORD=", "POSTGRES_PASSWORD=not")
    [line, *_] = doctor(checkout)
    assert "refuses the password. If .env was changed, put the old password back" in line


@pytest.mark.parametrize(
    ("asked", "told", "line"),
    [
        ("*MemTotal*", "536870912", "the Docker engine has 512 MB of memory; give it 1024 at least"),
        ("*Server.Version*", "24.0.1", "the Docker engine is 24.0.1, and must be 25 or newer"),
        ("compose version*", "2.20.0", "Docker Compose is 2.20.0, and must be 2.24.4 or newer"),
    ],
)
def test_docker_that_does_not_do_is_found(
    resting: Checkout, tmp_path: Path, asked: str, told: str, line: str
) -> None:
    path = stand_in(
        tmp_path,
        "docker",
        f'case "$*" in {asked.replace(" ", chr(92) + " ")}) echo {told} ;; *) exec "$REAL" "$@" ;; esac',
    )
    assert line in doctor(resting, PATH=path)


def test_user_of_web_who_does_not_own_the_files_is_found(checkout: Checkout, edit: Edit) -> None:
    edit(".env", "WEB_USER=", "WEB_USER=4242:4242\n#")
    assert any("WEB_USER=4242:4242 does not own web/" in line for line in doctor(checkout))
