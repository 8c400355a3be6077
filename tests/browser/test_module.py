"""From an idea to a served resource: modules that refer to one another, made and migrated in a checkout."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from generator.__main__ import make as make_module
from generator.checks import TYPES
from generator.fields import read_fields
from generator.names import Names
from tests.browser.axe import barriers
from tests.browser.vnu import faults
from tests.checkouts import Checkout, remove_module, variables
from tests.copies import UNLIMITED
from tests.node import FOLDER as NODE
from tests.support import ROOT, get, post, wait_until

# Every type: required, optional, with a default, indexed and unique, where there is such a thing.
SPECIMEN = """
    title:string nick:string{20}?:unique:search kind:string:index="a b" motto:string{3}? flag:string{2}:unique
    body:text=x remarks:text{100}?:search text:text? content:text?
    level:integer=5 number:integer:unique rank:integer?:index statement:integer?:index
    big:bigint?:index serial:bigint:unique
    weight:float ratio:float=1.5 height:float?:index
    share:decimal{4,4} price:decimal?:index code:decimal{6,0}:unique discount:decimal{4,2}=-1.5
    tiny:decimal{12,8}:index
    done:boolean active:boolean:index=true vetted:boolean?
    day:date:unique since:date=today date:date?:index
    start:time:unique until:time=10:00:00 nap:time?:index
    stamp:datetime:unique seen:datetime=now due:datetime:index=2026-01-01T00:00:00+02:00
    uuid:uuid? token:uuid:unique
    payload:json extra:json? options:json={}
    state:enum{draft,published}=draft mood:enum{x-1,unknown}?
    maker:references{author} editor:references{author}? author:references:unique
"""
MODULES = [
    {"NAME": "author", "FIELDS": "name:string{100}:unique:search born_on:date?:index"},
    {
        "NAME": "book",
        "FIELDS": "title:string:search isbn:string{13}:unique author:references price:decimal{8,2}? "
        "status:enum{draft,published} published_on:date?:index summary:text?",
    },
    {"NAME": "specimen", "FIELDS": " ".join(SPECIMEN.split())},
    {"NAME": "review", "FIELDS": "book:references stars:integer:index words:text:search", "OWNED": "1"},
    {"NAME": "loan", "FIELDS": "review:references other:references{review}? due:date", "OWNED": "1"},
]
MANY = ("loans", "reviews", "specimens", "books", "authors")
# What of a specimen is indexed, and may be what neither Python nor JSON has: in SQL, and as it is answered.
MAKE_ODD = """
    UPDATE specimens SET stamp = 'infinity', due = '0044-03-15 12:00:00 BC', day = '10000-01-01',
    date = '-infinity', start = '24:00', nap = '24:00', height = 'NaN', price = 'NaN' WHERE number = 1;
"""
ODD = {
    "stamp": "infinity",
    "due": "0044-03-15 12:00:00+00 BC",
    "day": "10000-01-01",
    "date": "-infinity",
    "start": "24:00:00",
    "nap": "24:00:00",
    "height": None,
    "price": "NaN",
}
# Of these, and of the modules that are there, all operations are sent what the document allows.
SENT = ("loans", "specimens")  # every type, and a record of a user that refers to another


def test_specimen_has_every_type() -> None:
    assert {field.type for field in read_fields(SPECIMEN, Names)} == set(TYPES)


@pytest.fixture(scope="module")
def library(checkout: Checkout) -> Iterator[Checkout]:
    """A demo in which authors, books and reviews were made; they are removed again."""
    checkout.make("demo-login", *variables(UNLIMITED | {"RATE_LIMIT_SIGN_IN": "100000"}))
    first, *others = MODULES
    assert "Type make migrate" in checkout.make("module", *variables(first))
    for module in others:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in ({"OWNED": ""} | module).items():
                patch.setenv(name, value)
            make_module(checkout.path)
    assert "create_authors" in checkout.make("migrate")
    wait_until(lambda: status(checkout, "/api/reviews") == 401, "the reviews are served")
    yield checkout
    for many in MANY:
        remove_module(checkout, many)
    checkout.make("migrate", "drop=yes")
    checkout.make("up")


def status(checkout: Checkout, path: str) -> int | None:
    """Return the status of a GET."""
    answer = checkout.get(path)
    return answer.status_code if answer else None


@pytest.fixture
def id_token(library: Checkout) -> str:
    """An ID token of Ada's."""
    provider = get(f"{library.url}/gauth/login").headers["Location"].partition("/authorize")[0]
    return str(get(f"{provider}/id-token", params={"email": "ada@example.com"}).json()["id_token"])


@pytest.fixture
def token(library: Checkout, id_token: str) -> str:
    """An API token of Ada's."""
    return str(post(f"{library.url}/gauth/token", json={"id_token": id_token}).json()["token"])


@pytest.fixture(scope="module")
def book(library: Checkout) -> dict[str, object]:
    """A book by an author."""
    author = post(f"{library.url}/api/authors", json={"name": "Ursula K. Le Guin"}).json()
    data = {
        "title": "The Dispossessed",
        "isbn": "9780061054884",
        "author_id": author["id"],
        "status": "draft",
    }
    created = post(f"{library.url}/api/books", json=data)
    assert created.status_code == 201
    return dict(created.json())


def test_records_are_found_by_what_is_indexed(library: Checkout, book: dict[str, object]) -> None:
    for query in ("status=draft", "q=dispo", f"author_id={book['author_id']}", "sort=-published_on"):
        assert get(f"{library.url}/api/books?{query}").json()["items"] == [book]
    assert get(f"{library.url}/api/books?price=1").status_code == 422


@pytest.fixture
def odd(library: Checkout) -> Iterator[dict[str, object]]:
    """A specimen with values that Postgres has and JSON or Python has not; there is one without, too."""
    made = [specimen(library, number) for number in (1, 2)]
    library.make("psql", stdin=MAKE_ODD)
    yield get(f"{library.url}{made[0]}").json()
    for path in made:
        assert httpx.delete(library.url + path).status_code == 204


def specimen(library: Checkout, number: int) -> str:
    """Store a specimen; return its path."""
    author = post(f"{library.url}/api/authors", json={"name": f"Author {uuid4()}"}).json()["id"]
    data = {
        "title": "odd",
        "kind": "a",
        "flag": str(number),
        "number": number,
        "serial": number,
        "weight": 1,
        "share": "0.5",
        "code": str(number),
        "tiny": "0",
        "done": False,
        "active": True,
        "day": f"2026-01-0{number}",
        "start": f"10:00:0{number}",
        "stamp": f"2026-01-0{number}T10:00:00Z",
        "due": "2026-01-01T00:00:00Z",
        "token": str(UUID(int=number)),
        "payload": {},
        "maker_id": author,
        "author_id": author,
    }
    answer = post(f"{library.url}/api/specimens", json=data)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def test_odd_values_take_down_no_list_and_outlive_a_form(
    library: Checkout, odd: dict[str, object], browse: Callable[..., BrowserContext]
) -> None:
    assert odd.items() >= ODD.items()
    for name in ODD:
        for order in (name, f"-{name}"):
            following, found = f"/api/specimens?limit=1&sort={order}", []
            while following:
                page = get(library.url + following).json()
                found += [item["number"] for item in page["items"]]
                following = page["next"]
            assert sorted(found) == [1, 2], order
    page = browse(library.url).new_page()
    page.goto("/specimens")
    expect(page.get_by_role("rowheader")).to_have_count(2)
    page.goto(f"/specimens/{odd['id']}/edit")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/specimens/\d+$"))
    expect(page.get_by_text("0044-03-15 12:00:00+00 BC")).to_be_visible()
    assert get(f"{library.url}/api/specimens/{odd['id']}").json() == odd


def test_conflict_names_the_field(library: Checkout, book: dict[str, object]) -> None:
    other = {name: book[name] for name in ("title", "isbn", "author_id", "status")}
    again = post(f"{library.url}/api/books", json=other)
    unknown = post(f"{library.url}/api/books", json=other | {"author_id": 10**9, "isbn": "1"})
    assert [(answer.status_code, list(answer.json()["errors"])) for answer in (again, unknown)] == [
        (409, ["isbn"]),
        (409, ["author_id"]),
    ]


def test_record_of_a_user_is_unknown_to_others(
    library: Checkout, book: dict[str, object], token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    review = {"book_id": book["id"], "stars": 5, "words": "Read it."}
    created = post(f"{library.url}/api/reviews", json=review, headers=headers)
    assert created.status_code == 201
    assert get(library.url + created.headers["Location"]).status_code == 401


def test_pages_are_used_without_barriers(
    library: Checkout, book: dict[str, object], browse: Callable[..., BrowserContext]
) -> None:
    page = browse(library.url, provokes=(409,)).new_page()
    page.goto("/")
    page.get_by_role("link", name="Books", exact=True).click()
    page.get_by_role("link", name="New book").click()
    for label, text in (("Title", "Solaris"), ("Isbn", str(book["isbn"])), ("Price", "12.50")):
        page.get_by_label(label).fill(text)
    page.get_by_label("Author").select_option("Ursula K. Le Guin")
    page.get_by_label("Status").select_option("published")
    page.get_by_label("Published on").fill("1961-01-31")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Isbn")).to_have_accessible_description("Already taken.")
    page.get_by_label("Isbn").fill("9780156027601")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Solaris")).to_be_visible()
    page.get_by_role("link", name="All books").click()
    page.get_by_label("Status").select_option("published")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("rowheader")).to_have_text(["Solaris"])
    for path in (
        "/books",
        "/books/new",
        f"/books/{book['id']}",
        f"/books/{book['id']}/delete",
        "/authors/new",
    ):
        page.goto(path)
        assert barriers(page) == []
    page.goto("/api/docs")
    expect(page.get_by_role("button", name="Create a review").first).to_be_visible()


def test_pages_of_modules_are_valid(
    library: Checkout, book: dict[str, object], odd: dict[str, object], tmp_path: Path, node_modules: None
) -> None:
    paths = [
        "/",
        "/books",
        "/books/new",
        f"/books/{book['id']}/edit",
        "/specimens?sort=stamp",
        "/specimens/new",
    ]
    paths += [f"/specimens/{odd['id']}{page}" for page in ("", "/edit", "/delete")]
    assert faults({path: get(library.url + path).text for path in paths}, tmp_path) == []


def test_api_does_what_its_document_says(
    library: Checkout, id_token: str, tmp_path: Path, hold_row: Callable[..., None]
) -> None:
    document = get(f"{library.url}/api/openapi.json").json()
    others = tuple(f"/api/{many}" for many in MANY if many not in SENT)
    document["paths"] = {
        path: item for path, item in document["paths"].items() if not path.startswith(others)
    }
    items = [item for path in document["paths"].values() for item in path.items()]
    operations = [operation for method, operation in items if method != "parameters"]
    for (
        operation
    ) in operations:  # A document cannot say which cursors are of a list: test_pagination.py tries those.
        without = [parameter for parameter in operation.get("parameters", []) if parameter["name"] != "after"]
        operation["parameters"] = without
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    command = [str(ROOT / "venv/bin/schemathesis"), "--no-color", "--config-file"]
    command += [str(ROOT / "tests/schemathesis.toml"), "run", "openapi.json", "--url", library.url]
    run = subprocess.run(
        command,
        cwd=tmp_path,  # where it leaves a cache
        env=os.environ | {"ID_TOKEN": id_token},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert f"Tested: {len(operations)}" in run.stdout
    hold_row("The API by its document", "every operation, of two generated modules too", "nothing found")


@pytest.mark.parametrize(
    "linter",
    [
        "redocly lint --extends=recommended --format=json",
        "spectral lint --ruleset=spectral.yaml --fail-severity=hint",
    ],
)
def test_linters_of_api_documents_are_quiet(
    library: Checkout, tmp_path: Path, node_modules: None, linter: str
) -> None:
    (tmp_path / "openapi.json").write_bytes(get(f"{library.url}/api/openapi.json").content)
    (tmp_path / "spectral.yaml").write_text("extends: spectral:oas\n")
    command = [f"{NODE}/node_modules/.bin/{linter.split()[0]}", *linter.split()[1:], "openapi.json"]
    environment = os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.findall(r'"warnings": (\d+)', run.stdout) == (["0"] if "redocly" in linter else []), run.stdout


def test_modules_pass_their_tests_and_the_linters(library: Checkout) -> None:
    folders = " ".join(f"tests/unit/app/{many}" for many in MANY)
    assert " passed in " in library.make("test", f"T={folders}")
    written = [f"{folder}/{many}" for many in MANY for folder in ("web/app", "tests/unit/app")]
    for linter in ("ruff check", "ruff format --check", f"mypy --cache-dir {ROOT}/.mypy_cache"):
        line = [*f"venv/bin/{linter}".split(), *written]
        run = subprocess.run(line, cwd=library.path, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout


def test_changed_module_is_migrated(library: Checkout, book: dict[str, object]) -> None:
    models = library.path / "web/app/books/models.py"
    added = "    pages: Mapped[int | None]\n    price: Mapped"
    models.write_text(re.sub(r"^    price: Mapped", added, models.read_text(), flags=re.MULTILINE))
    assert "add_pages_to_books" in library.make("migrate")
    url = f"{library.url}/api/books/{book['id']}"
    wait_until(lambda: "pages" in get(url).json(), "the new field is served")
    assert httpx.patch(url, json={"pages": 341}).json()["pages"] == 341


def test_removed_module_says_what_goes(library: Checkout) -> None:
    remove_module(library, "loans")
    remove_module(library, "reviews")
    refused = library.try_make("migrate")
    assert refused.returncode == 2
    for many in ("loans", "reviews"):
        told = rf"this would drop .*the table {many} with \d+ rows?.*; nothing was written"
        assert re.search(told, refused.stdout)
    assert "drop_loans" in library.make("migrate", "drop=yes")
    wait_until(lambda: status(library, "/api/reviews") == 404, "the reviews are gone")
