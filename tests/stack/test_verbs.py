"""The verbs of the Makefile, typed in a fresh checkout, in development."""

import re
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.checkouts import Checkout
from tests.engines import has_data, listening, services
from tests.support import wait_until

# --- make up ---


def test_first_up_writes_secrets_of_its_own_for_the_owner_alone(checkout: Checkout) -> None:
    names = ("SECRET_KEY", "CSRF_SESSION_KEY", "POSTGRES_PASSWORD")
    values = {checkout.setting(name) for name in names}
    assert len(values) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", value) for value in values)
    assert stat.S_IMODE((checkout.path / ".env").stat().st_mode) == 0o600


def test_second_up_changes_nothing(checkout: Checkout) -> None:
    before, settings = services(checkout), (checkout.path / ".env").read_text()
    checkout.make("up")
    assert services(checkout) == before
    assert (checkout.path / ".env").read_text() == settings


def test_two_at_once_take_turns(checkout: Checkout) -> None:
    with ThreadPoolExecutor() as pool:
        screens = list(pool.map(lambda _: checkout.make("up"), range(2)))
    assert all("Ready: " in screen for screen in screens)
    assert any("Waiting for another make at work on this stack" in screen for screen in screens)


def test_page_of_development_tells_the_migration(checkout: Checkout) -> None:
    page = checkout.get("/")
    assert page is not None
    revision = checkout.make("psql", stdin="SELECT 'head ' || version_num FROM alembic_version").split()
    assert revision[revision.index("head") + 1] in page.text


def test_development_listens_on_localhost_only(checkout: Checkout) -> None:
    assert listening(int(checkout.environment["HTTP_PORT"])) == {"127.0.0.1"}


@pytest.mark.only("docker", because="it is about the compose file")
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


def test_edit_is_live(checkout: Checkout, edit: Callable[[str, str, str], None]) -> None:
    edit("web/app/health/pages.py", '"ok"', '"edited"')
    wait_until(lambda: (a := checkout.get("/healthz")) and '"edited"' in a.text, "the edit", 30)


def test_edit_of_the_configuration_is_live(checkout: Checkout, edit: Callable[[str, str, str], None]) -> None:
    edit("web/config.py", 'API_TITLE = "Slipway"', 'API_TITLE = "Edited"')
    wait_until(lambda: (a := checkout.get("/")) and "Edited</title>" in a.text, "the edit", 30)


def test_edit_while_the_last_one_loads_is_live(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    def reloads() -> int:
        return checkout.make("logs", "S=web").count("the source was changed: reloading")

    # The edit of the test before has been taken back, and that is live.
    wait_until(lambda: (a := checkout.get("/")) and "Slipway</title>" in a.text, "a quiet start", 30)
    before = reloads()
    edit("web/app/health/pages.py", "from flask", "import time; time.sleep(3)\nfrom flask")
    wait_until(lambda: reloads() > before, "the first edit to be seen")
    wait_until(
        lambda: "Booting worker" in checkout.make("logs", "S=web").rpartition("reloading")[2], "it to load"
    )
    edit("web/app/health/pages.py", "import time; time.sleep(3)\n", "")
    edit("web/app/health/pages.py", '"ok"', '"edited"')
    wait_until(lambda: (a := checkout.get("/healthz")) and '"edited"' in a.text, "the edit", 30)


def test_edit_that_breaks_the_app_is_mended_by_the_next(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    edit("web/app/health/pages.py", "from flask", "from nowhere")
    wait_until(
        lambda: (a := checkout.get("/healthz")) and "No module named 'nowhere'" in a.text, "the edit", 10
    )
    edit("web/app/health/pages.py", "from nowhere", "from flask")
    wait_until(lambda: (a := checkout.get("/healthz")) and a.status_code == 200, "the repair", 30)


def test_failing_migration_is_shown_and_the_old_web_serves_on(checkout: Checkout) -> None:
    versions = checkout.path / "web" / "migrations" / "versions"
    [head] = re.findall(r"^(\w+) \(head\)", checkout.make("flask", "A=db heads"), re.MULTILINE)
    bad = versions / "99991231_235959_bad.py"
    bad.write_text(
        "from alembic import op\nbranch_labels = depends_on = None\n"
        f"revision = 'bad'\ndown_revision = '{head}'\n"
        "def upgrade(): op.execute('CREATE TABLE half ()'); op.execute('SELECT nonsense')\n"
    )
    before = services(checkout)
    try:
        run = checkout.try_make("up")
        answer = checkout.get("/api/notes")
    finally:
        bad.unlink()
    assert answer is not None
    assert answer.status_code == 200
    assert run.returncode != 0
    assert "the migration 99991231_235959_bad.py failed and was rolled back" in run.stdout
    assert 'column "nonsense" does not exist' in run.stdout
    assert services(checkout) == before
    assert "half" not in checkout.make("psql", stdin="\\dt")
    wait_until(checkout.is_ready, "it to be ready again", 30)


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


# --- the other verbs ---


def test_migrate_writes_a_revision_of_the_checkouts_owner(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    edit("web/app/notes/models.py", "    body:", "    added_by_a_test: Mapped[str | None]\n    body:")
    screen = checkout.make("migrate", "m=Written by a test")
    [revision] = (checkout.path / "web/migrations/versions").glob("*_written_by_a_test.py")
    assert f"web/migrations/versions/{revision.name}" in screen
    assert revision.stat().st_uid == (checkout.path / "web").stat().st_uid

    def has_column() -> bool:
        answer = httpx.post(
            f"{checkout.url}/api/notes", json={"title": "a", "added_by_a_test": "b"}, timeout=20
        )
        return answer.status_code == 201 and answer.json()["added_by_a_test"] == "b"

    wait_until(has_column, "the new column to be served", 30)
    edit("web/app/notes/models.py", "    added_by_a_test: Mapped[str | None]\n", "")
    run = checkout.try_make("migrate")
    assert run.returncode != 0
    assert "this would drop the column notes.added_by_a_test, which has a value in " in run.stdout
    assert "make migrate drop=yes" in run.stdout
    checkout.make("migrate", "drop=yes")
    assert "nothing to migrate" in checkout.make("migrate")


def test_down_keeps_the_data(checkout: Checkout) -> None:
    note = httpx.post(f"{checkout.url}/api/notes", json={"title": "kept"}, timeout=20).headers["Location"]
    checkout.make("down")
    assert checkout.get(note) is None
    checkout.make("up")
    answer = checkout.get(note)
    assert answer is not None
    assert answer.json()["title"] == "kept"


@pytest.mark.parametrize(
    ("verb", "variables", "stdin", "expected"),
    [
        ("ps", [], "", "nginx"),
        ("logs", ["S=db"], "", "database system is ready to accept connections"),
        ("flask", ["A=routes --sort rule"], "", "/api/notes/<id:note_id>"),
        ("shell", [], "print(db.session.scalar(db.text('SELECT 6 * 7')))", "42"),
        ("psql", [], "SELECT 'from ' || current_user;", "from app"),
        ("migrations", [], "", "<- the database is here"),
        ("restart", ["S=web"], "", "Ready: http://localhost"),
    ],
)
def test_verb_does_its_work(
    checkout: Checkout, verb: str, variables: list[str], stdin: str, expected: str
) -> None:
    assert expected in checkout.make(verb, *variables, stdin=stdin)


def test_clean_asks_before_it_deletes(checkout: Checkout) -> None:
    run = checkout.try_make("clean")
    assert run.returncode != 0
    assert "to be sure, add sure=yes" in run.stdout
    assert len(services(checkout)) == 3


def test_downgrade_says_what_it_would_undo_and_asks(checkout: Checkout) -> None:
    *_, newest, _ = checkout.make("migrations").splitlines()
    run = checkout.try_make("downgrade")
    assert run.returncode != 0
    assert re.search(
        r"this would undo the migration \d{8}_\d{6}_\w+\.py, .+; to be sure, add sure=yes", run.stdout
    )
    assert newest in checkout.make("migrations")


def test_rule_that_is_none_is_told_by_migrate(checkout: Checkout) -> None:
    run = checkout.try_make("migrate", "accept=everything")
    assert run.returncode != 0
    assert "accept=everything: there is no such rule; there are adding-field-with-default, " in run.stdout


# --- wrong use ---


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        (
            "unknown settings",
            "config.DevelopmentConfig",
            "development",
            "APP_SETTINGS=development is unknown; it is",
        ),
        (
            "pair",
            ":docker-compose.dev.yml",
            "",
            "APP_SETTINGS=config.DevelopmentConfig goes with COMPOSE_FILE=",
        ),
        (
            "other pair",
            "=config.DevelopmentConfig",
            "=config.ProductionConfig",
            "goes with COMPOSE_FILE=docker-",
        ),
        ("malformed", "POSTGRES_USER=app", "POSTGRES_USER = app", "is malformed: write NAME=value"),
        ("quotes", "POSTGRES_USER=app", 'POSTGRES_USER="app"', "is malformed: write NAME=value"),
        ("windows", "\n", "\r\n", ".env line 1 ends as on Windows (CRLF); type tr -d"),
        ("port", "HTTP_PORT=", "HTTP_PORT=999", "is not a number from 1 to 65535"),
        ("replicas", "#WEB_REPLICAS=1", "WEB_REPLICAS=two", "WEB_REPLICAS=two is not a number from 1 to"),
        ("workers", "#WEB_WORKERS=2", "WEB_WORKERS=x", "WEB_WORKERS must be a whole number from 1 on"),
        (
            "address",
            "#HTTP_BIND=127.0.0.1",
            "HTTP_BIND=localhost",
            "HTTP_BIND=localhost is not an IPv4 address",
        ),
        ("certificates", "#CA_BUNDLE=", "CA_BUNDLE=/nowhere", "CA_BUNDLE=/nowhere cannot be read"),
        ("secret", "SECRET_KEY=", "SECRET_KEY=\nOTHER=", "SECRET_KEY is empty; put its value back, or a new"),
        (
            "own database",
            "#DATABASE_URL=",
            "DATABASE_URL=postgresql://app@db/app\n#",
            "names the stack's own",
        ),
        ("log level", "#LOG_LEVEL=INFO", "LOG_LEVEL=loud", "LOG_LEVEL is LOUD; it must be one of"),
        (
            "database url",
            "#DATABASE_URL=postgresql://",
            "DATABASE_URL=mysql://",
            "DATABASE_URL is malformed; it",
        ),
        (
            "database away",
            "#DATABASE_URL=",
            "DATABASE_WAIT=1\nDATABASE_URL=postgresql://user@127.0.0.1:1/name\n#",
            "no answer from postgresql+psycopg2://user:***@127.0.0.1:1/name in 1 s",
        ),
    ],
)
def test_wrong_setting_is_told(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str, line: str
) -> None:
    path = checkout.path / ".env"
    original = path.read_bytes()
    try:
        assert old.encode() in original
        times = -1 if name == "windows" else 1
        path.write_bytes(original.replace(old.encode(), new.encode(), times))
        for variable in ("HTTP_PORT", "CA_BUNDLE") if name in ("port", "certificates") else ():
            monkeypatch.delitem(checkout.environment, variable, raising=False)
        run = checkout.try_make("up")
    finally:
        path.write_bytes(original)
    assert run.returncode != 0
    assert line in run.stdout
    assert "Traceback" not in run.stdout
    assert set(services(checkout)) == {"db", "nginx", "web"}


def test_wrong_settings_do_not_keep_from_looking_and_stopping(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    edit(".env", "config.DevelopmentConfig", "config.ProductionConfig")
    assert "nginx" in checkout.make("ps")
    assert "gunicorn" in checkout.make("logs", "S=web")


@pytest.mark.only("docker", because="native's socket is for the owner alone, and asks for no password")
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


def test_taken_port_is_told_with_the_line_to_change(
    checkout: Checkout, clone: Callable[[str], Checkout]
) -> None:
    other = clone("other")
    taken = checkout.environment["HTTP_PORT"]
    run = other.try_make("up", HTTP_PORT=taken)
    assert run.returncode != 0
    assert re.search(rf"port {taken} is taken by .+; set another in \.env: HTTP_PORT=\d+", run.stdout)


def test_arguments_with_a_lost_quote_are_told(checkout: Checkout) -> None:
    run = checkout.try_make("flask", "A='routes")
    assert run.returncode != 0
    assert run.stdout.startswith("make flask: A='routes: the quotes do not match")


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


@pytest.mark.only("docker", because="there nginx is another user than the owner of the files")
def test_static_files_that_nginx_cannot_read_are_told(clone: Callable[[str], Checkout]) -> None:
    checkout = clone("strict umask")
    (checkout.path / "web/app/static/style.css").chmod(0o600)
    run = checkout.try_make("up")
    assert run.returncode != 0
    assert "nginx cannot read web/app/static" in run.stdout
    assert "type chmod -R o+rX web/app/static" in run.stdout


def test_port_that_is_changed_to_a_taken_one_is_told(checkout: Checkout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = checkout.try_make("up", HTTP_PORT=str(port))
    assert run.returncode != 0
    assert re.search(rf"port {port} is taken by .+; set another in \.env: HTTP_PORT=", run.stdout)
    assert checkout.is_ready()


def test_checkouts_side_by_side_do_not_collide(checkout: Checkout, clone: Callable[[str], Checkout]) -> None:
    other = clone("a checkout")
    try:
        other.make("up")
        note = httpx.post(f"{other.url}/api/notes", json={"title": "of the other"}, timeout=20).json()
        mine = checkout.get("/api/notes?limit=100")
        assert mine is not None
        assert note["created_at"] not in [n["created_at"] for n in mine.json()["items"]]
    finally:
        other.make("clean", "sure=yes")
    assert not has_data(other)
    assert checkout.is_ready()


def test_checkout_behind_a_symbolic_link_is_the_same(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(checkout.path)
    linked = Checkout(tmp_path / "link", checkout.environment | {"PWD": str(tmp_path / "link")})
    before = services(checkout)
    linked.make("up")
    assert services(checkout) == before


@pytest.mark.only("docker", because="containers are named by .env")
def test_copied_env_is_refused(checkout: Checkout, clone: Callable[[str], Checkout]) -> None:
    other = clone("copy")
    shutil.copy2(checkout.path / ".env", other.path / ".env")
    run = other.try_make("up")
    assert run.returncode != 0
    assert f"belongs to {checkout.path}" in run.stdout


@pytest.mark.parametrize(
    ("verb", "variables", "line"),
    [
        ("frobnicate", [], "there is no verb 'frobnicate'; type 'make' to see them"),
        ("tests", [], "there is no verb 'tests'; type 'make' to see them"),
        ("logs", ["S=nonsense"], "S=nonsense: there is no such service; there are db, web and nginx"),
        ("logs", [], "there is no .env yet; type make up"),
        (
            "up",
            ["ENGINE=kubernetes"],
            "there is no such engine; there are docker and native",
        ),
    ],
)
def test_wrong_use_of_a_verb_is_told(
    answering_engine: str, clone: Callable[[str], Checkout], verb: str, variables: list[str], line: str
) -> None:
    run = clone("wrong").try_make(verb, *variables)
    assert run.returncode != 0
    assert line in run.stdout


def test_service_that_is_not_running_is_told(checkout: Checkout, clone: Callable[[str], Checkout]) -> None:
    other = clone("down")
    shutil.copy2(checkout.path / ".env", other.path / ".env")
    with (other.path / ".env").open("a") as file:
        file.write("COMPOSE_PROJECT_NAME=slipway-test-down\n")
    run = other.try_make("shell")
    assert run.returncode != 0
    assert "web is not running; type make up" in run.stdout
