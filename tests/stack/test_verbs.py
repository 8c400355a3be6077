"""The verbs of the Makefile, typed in a fresh checkout, in development."""

import re
import socket
from collections.abc import Callable

import pytest

from tests.checkouts import Checkout
from tests.engines import has_data, services
from tests.support import post, wait_until

# --- the other verbs ---


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


def test_flask_command_wants_no_stack_that_is_up(checkout: Checkout) -> None:
    checkout.make("down")
    assert "(head)" in checkout.make("flask", "A=db heads")
    assert services(checkout) == {}
    checkout.make("up")


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


def test_arguments_with_a_lost_quote_are_told(checkout: Checkout) -> None:
    run = checkout.try_make("flask", "A='routes")
    assert run.returncode != 0
    assert run.stdout.startswith("make flask: A='routes: the quotes do not match")


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


def test_edit_of_the_configuration_is_live(checkout: Checkout, edit: Callable[[str, str, str], None]) -> None:
    edit("web/config.py", 'API_TITLE = "Slipway"', 'API_TITLE = "Edited"')
    wait_until(lambda: (a := checkout.get("/")) and "Edited</title>" in a.text, "the edit")


def test_edit_while_the_last_one_loads_is_live(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    def reloads() -> int:
        return checkout.make("logs", "S=web").count("the source was changed: reloading")

    # The edit of the test before has been taken back, and that is live.
    wait_until(lambda: (a := checkout.get("/")) and "Slipway</title>" in a.text, "a quiet start")
    before = reloads()
    edit("web/slipway/http/health.py", "from flask", "import time; time.sleep(3)\nfrom flask")
    wait_until(lambda: reloads() > before, "the first edit to be seen")
    wait_until(
        lambda: "Booting worker" in checkout.make("logs", "S=web").rpartition("reloading")[2], "it to load"
    )
    edit("web/slipway/http/health.py", "import time; time.sleep(3)\n", "")
    edit("web/slipway/http/health.py", '"ok"', '"edited"')
    wait_until(lambda: (a := checkout.get("/healthz")) and '"edited"' in a.text, "the edit")


def test_edit_that_breaks_the_app_is_mended_by_the_next(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    edit("web/slipway/http/health.py", "from flask", "from nowhere")
    wait_until(lambda: (a := checkout.get("/healthz")) and "No module named 'nowhere'" in a.text, "the edit")
    edit("web/slipway/http/health.py", "from nowhere", "from flask")
    wait_until(lambda: (a := checkout.get("/healthz")) and a.status_code == 200, "the repair")


def test_clean_asks_before_it_deletes(checkout: Checkout) -> None:
    run = checkout.try_make("clean")
    assert run.returncode != 0
    assert "to be sure, add sure=yes" in run.stdout
    assert len(services(checkout)) == 3


def test_wrong_settings_do_not_keep_from_looking_and_stopping(
    checkout: Checkout, edit: Callable[[str, str, str], None]
) -> None:
    edit(".env", "config.DevelopmentConfig", "config.ProductionConfig")
    assert "nginx" in checkout.make("ps")
    assert "gunicorn" in checkout.make("logs", "S=web")


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
        note = post(f"{other.url}/api/notes", json={"title": "of the other"}).json()
        mine = checkout.get("/api/notes?limit=100")
        assert mine is not None
        assert note["created_at"] not in [n["created_at"] for n in mine.json()["items"]]
    finally:
        other.make("clean", "sure=yes")
    assert not has_data(other)
    assert checkout.is_ready()


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
    wait_until(checkout.is_ready, "it to be ready again")
