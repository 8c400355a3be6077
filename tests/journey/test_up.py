"""The first five minutes: `make up`, an edit, and the verbs that look at what runs."""

import re
import stat
from collections.abc import Callable

import pytest

from tests.checkouts import Checkout
from tests.engines import listening, services
from tests.support import post, wait_until


def test_first_up_writes_secrets_of_its_own_for_the_owner_alone(checkout: Checkout) -> None:
    names = ("SECRET_KEY", "CSRF_SESSION_KEY", "POSTGRES_PASSWORD")
    values = {checkout.setting(name) for name in names}
    assert len(values) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", value) for value in values)
    assert stat.S_IMODE((checkout.path / ".env").stat().st_mode) == 0o600


def test_second_up_changes_nothing(checkout: Checkout) -> None:
    checkout.make("up")
    before, settings = services(checkout), (checkout.path / ".env").read_text()
    checkout.make("up")
    assert services(checkout) == before
    assert (checkout.path / ".env").read_text() == settings


def test_page_of_development_tells_the_migration(checkout: Checkout) -> None:
    page = checkout.get("/")
    assert page is not None
    revision = checkout.make("psql", stdin="SELECT 'head ' || version_num FROM alembic_version").split()
    assert revision[revision.index("head") + 1] in page.text


def test_development_listens_on_localhost_only(checkout: Checkout) -> None:
    assert listening(int(checkout.environment["HTTP_PORT"])) == {"127.0.0.1"}


def test_edit_is_live(checkout: Checkout, edit: Callable[[str, str, str], None]) -> None:
    edit("web/slipway/http/health.py", '"ok"', '"edited"')
    wait_until(lambda: (a := checkout.get("/healthz")) and '"edited"' in a.text, "the edit")


def test_down_keeps_the_data(checkout: Checkout) -> None:
    note = post(f"{checkout.url}/api/notes", json={"title": "kept"}).headers["Location"]
    checkout.make("down")
    assert checkout.get(note) is None
    checkout.make("up")
    answer = checkout.get(note)
    assert answer is not None
    assert answer.json()["title"] == "kept"


RIGHTS = """
    SELECT 'from ' || rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    FROM pg_roles WHERE rolname = current_user
"""


@pytest.mark.parametrize(
    ("verb", "variables", "stdin", "expected"),
    [
        ("ps", [], "", "nginx"),
        ("logs", ["S=db"], "", "database system is ready to accept connections"),
        ("flask", ["A=routes --sort rule"], "", "/api/notes/<id:note_id>"),
        ("shell", [], "print(db.session.scalar(db.text('SELECT 6 * 7')))", "42"),
        ("psql", [], RIGHTS, "from app | f"),
        ("migrations", [], "", "<- the database is here"),
        ("restart", ["S=web"], "", "Ready: http://localhost"),
    ],
)
def test_verb_does_its_work(
    checkout: Checkout, verb: str, variables: list[str], stdin: str, expected: str
) -> None:
    assert expected in checkout.make(verb, *variables, stdin=stdin)
