"""How .env is written and read by the verbs: engines/env.sh."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.engines.scripts import copy_scripts, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout without a .env."""
    copy_scripts(tmp_path)
    return tmp_path


def test_two_first_make_have_one_env(folder: Path) -> None:
    script = "first_env 8080; env_get SECRET_KEY"
    with ThreadPoolExecutor() as pool:
        secrets = set(pool.map(lambda _: run(folder, script), range(4)))
    assert len(secrets) == 1
    assert re.fullmatch(r"[\w-]{43}\n", secrets.pop())
    assert {path.name for path in folder.glob(".env*")} == {".env.example", ".env"}


def test_env_that_was_written_since_the_start_is_read(folder: Path) -> None:
    script = "env_load; echo SECRET_KEY=of-another-make >.env; first_env 8080; env_get SECRET_KEY"
    assert run(folder, script) == "of-another-make\n"


def test_role_of_the_cluster_is_no_role_for_web(folder: Path) -> None:
    (folder / ".env").write_text("POSTGRES_USER=cluster\n")
    assert "POSTGRES_USER=cluster is a name of the cluster's own role" in run(folder, "env_load; check_roles")


def test_env_is_its_owners_alone_from_the_first_moment(folder: Path) -> None:
    spy = (
        'look() { ls -l "$2" | cut -c 1-10; command "$@"; }; mv() { look mv "$@"; }; ln() { look ln "$@"; };'
    )
    modes = run(folder, f"{spy} first_env 8080").split()
    assert len(modes) > 5
    assert set(modes) == {"-rw-------"}


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        ("postgresql://app:secret@db.example/app", "postgresql://app@db.example/app", "secret"),
        ("postgresql://app:a%40b%5Cc\\n@h:5432/app?sslmode=require", None, "a@b\\c\\n"),
        ("postgresql://app:a@b@h/app", "postgresql://app@h/app", "a@b"),
        ("postgresql://app@h/app", "postgresql://app@h/app", "of .env"),
        ("postgresql://h/app", "postgresql://h/app", "of .env"),
        ("postgresql://app@/app?host=%2Frun", "postgresql://app@/app?host=%2Frun", "of .env"),
    ],
)
def test_password_of_a_url_is_on_no_command_line(
    folder: Path, url: str, shown: str | None, password: str
) -> None:
    script = f"POSTGRES_PASSWORD='of .env'; url_without_password '{url}'; password_of_url '{url}'"
    expected = shown or "postgresql://app@h:5432/app?sslmode=require"
    assert run(folder, script).splitlines() == [expected, password]


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("utf-8", ""),
        ("utf-8-sig", "make up: .env begins with a byte order mark; save it as UTF-8 without one"),
        ("utf-16-le", "make up: .env is not written in UTF-8"),
        ("utf-16", "make up: .env is written in UTF-16; save it as UTF-8"),
        ("latin-1", "make up: .env is not written in UTF-8; save it so"),
    ],
)
def test_env_in_another_encoding_is_told(folder: Path, encoding: str, line: str) -> None:
    (folder / ".env").write_bytes("# Größe\nHTTP_PORT=80\n".encode(encoding))
    told = run(folder, "env_check")
    assert told.startswith(line)
    assert bool(told) == bool(line)


@pytest.mark.parametrize(("settings", "client"), [("Production", "theirs"), ("Development", "demo")])
def test_demo_that_still_runs_is_used_in_development_alone(folder: Path, settings: str, client: str) -> None:
    (folder / ".env").write_text(f"APP_SETTINGS=config.{settings}Config\nGAUTH_CLIENT_ID=theirs\n")
    script = "login_port() { echo 9400; }; login_url() { echo http://login; }; env_load; verb=deploy"
    assert run(folder, f"{script}; keep_demo_login; env_get GAUTH_CLIENT_ID") == f"{client}\n"


COMPOSE = """
services:
  db:
    environment:
      OF_DB: ${OF_DB:-}
  web:
    build:
      args:
        OF_BUILD: ${OF_BUILD:-}
    environment:
      PLAIN: ${PLAIN:-}
      # A comment: ${NO_SETTING:-}
      S3_BUCKET2: "${S3_BUCKET2:-in quotes}"
      lower: '${lower:-5}'
      REQUIRED: ${REQUIRED:?is not set}
      LITERAL: as it is
      "QUOTED": ${QUOTED-without a colon}
      NESTED: ${NESTED:-${PLAIN:-}}
    networks: [front]
  nginx:
    environment:
      OF_NGINX: ${OF_NGINX:-}
"""


def test_web_on_native_has_each_setting_that_it_has_in_a_container(folder: Path) -> None:
    (folder / "docker-compose.yml").write_text(COMPOSE)
    assert run(folder, ". engines/servers.sh; settings").splitlines() == [
        "PLAIN\t",
        "S3_BUCKET2\tin quotes",
        "lower\t5",
        "REQUIRED\t",
        "LITERAL\tas it is",
        "QUOTED\twithout a colon",
        "NESTED\t",
    ]
