"""Bad use of `make module`: one line that says what is wrong, and nothing written."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from generator import write
from generator.names import Names, UsageError, module_names

Make = Callable[..., list[str]]
MakeIn = Callable[[Path, str, str, str], list[str]]
TITLE = "title:string"


def tree(folder: Path) -> set[Path]:
    """Return what is in a checkout, but for what Python keeps beside its source."""
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.parametrize(
    ("name", "fields", "owned", "line"),
    [
        ("", TITLE, "", "NAME= is missing; type make module NAME=book"),
        ("books", TITLE, "", "NAME=books is a plural; say NAME=book"),
        ("blog_posts", TITLE, "", "is a plural; say NAME=blog_post"),
        ("people", TITLE, "", "NAME=people is a plural; say NAME=person"),
        ("2nd", TITLE, "", "NAME=2nd: a name has lower-case letters and digits"),
        ("a__b", TITLE, "", "a name has lower-case letters"),
        ("a b", TITLE, "", "a name has lower-case letters"),
        ("buch_ä", TITLE, "", "a name has lower-case letters"),
        ("x" * 41, TITLE, "", "a name has 40 characters at most"),
        ("class", TITLE, "", "class is a keyword of Python"),
        ("order", TITLE, "", "order is a keyword of SQL"),
        ("property", TITLE, "", "Python has a property of its own"),
        ("note", TITLE, "", "there is web/app/notes already"),
        ("Note", TITLE, "", "there is web/app/notes already"),
        ("doc", TITLE, "", "/api/docs is the platform's; take another name"),
        ("extension", TITLE, "", "there is web/app/extensions.py already"),
        ("user", TITLE, "", "user is a keyword of SQL"),
        ("api_token", TITLE, "", "gauth/models.py has a table api_tokens"),
        ("note_page", TITLE, "", "notes/schemas.py has a Note; take another name"),
        ("problem", TITLE, "", "the API's document has a Problem"),
        ("page", TITLE, "", "the code of a module has a page itself"),
        ("book", "", "", "FIELDS= is missing; say name:type"),
        ("book", 'title:string="x', "", "FIELDS: a quote is not closed"),
        ("book", "title", "", "FIELDS: title is not understood; say name:type"),
        ("book", "title:", "", "there is no type (none); there are string, text, integer"),
        ("book", "title:varchar", "", "there is no type varchar; there are string"),
        ("book", "Title:string", "", "a name has lower-case letters"),
        ("book", "class:string", "", "class is a keyword of Python"),
        ("book", "order:string", "", "order is a keyword of SQL"),
        ("book", "version:integer", "", "version has a meaning already"),
        ("book", "owner:references{author}", "", "there is no module of author"),
        ("book", "owner:string", "", "owner has a meaning already"),
        ("book", "owned_by:references{note}", "", "owned_by has a meaning already"),
        ("book", "generated:boolean", "", "generated has a meaning already"),
        ("book", "func:datetime=now", "", "FIELDS: func: the code of a model has a func itself"),
        ("book", f"{TITLE} {TITLE}", "", "FIELDS: title is there twice"),
        ("book", "note:references note_id:integer", "", "FIELDS: note_id is there twice"),
        ("book", "author:references", "", "there is no module of author; make that one first"),
        ("book", "author:references{../notes}", "", "there is no module of ../notes"),
        ("book", "author:references{note,home}", "", "a reference names one module"),
        ("book", "note:references=1", "", "a reference has no default"),
        ("book", "title:string:fast", "", "there is no :fast; there are :index, :unique, :search"),
        ("book", "pages:integer:search", "", ":search is for string and text, not for integer"),
        ("book", "body:text:index", "", ":index and :unique are not for text"),
        ("book", "done:boolean:unique", "", ":unique is not for boolean"),
        ("book", "pages:integer:unique=1", "", ":unique and a default do not go together"),
        ("book", "body:text=x:search", "", "the default comes last"),
        ("book", "title:string{0}", "", "its length is a number from 1 to 10000"),
        ("book", "title:string{x}", "", "its length is a number"),
        ("book", "title:string{501}:index", "", "what is indexed has 500 characters at most"),
        ("book", "price:decimal{2,3}", "", "digits in all, 28 at most, and after the point"),
        ("book", "pages:integer{5}", "", "integer takes no {…}"),
        ("book", "status:enum", "", "an enum has two values or more"),
        ("book", "status:enum{a,a}", "", "an enum has two values or more, each once"),
        ("book", "status:enum{a,it's}", "", "FIELDS: a quote is not closed"),
        ("book", "status:enum{a,b;c}", "", "a value has letters, digits, _, . and -"),
        ("book", "status:enum{a,b}=c", "", "c is no default of this type"),
        ("book", "pages:integer=2147483648", "", "2147483648 is no default of this type"),
        ("book", "price:decimal{4,2}=123", "", "123 is no default of this type"),
        ("book", "day:date=2026-02-30", "", "2026-02-30 is no default of this type"),
        ("book", "at:datetime=2026-02-20T10:00:00", "", "is no default of this type"),
        ("book", "done:boolean=yes", "", "yes is no default of this type"),
        ("book", "payload:json={", "", "{ is no default of this type"),
        ("loop", TITLE, "", "the code of a module has a loop itself"),
        ("id_token", TITLE, "", "gauth/schemas.py has a IdToken; take another name"),
        ("book", "self:string", "", "self has a meaning already"),
        ("book", "int:integer", "", "int has a meaning already"),
        ("book", "load:string", "", "load has a meaning already"),
        ("book", "base:enum{a,b} basis:enum{c,d}", "", "two enums would both be called bases"),
        ("book", "code:string{1}:unique", "", ":unique wants 2 characters or more"),
        ("book", "share:decimal{3,2}:unique", "", ":unique wants 4 digits or more"),
        ("book", "pages:integer?=1", "", "? and a default do not go together"),
        ("book", 'title:string="a\nb"', "", "FIELDS has characters that cannot be printed"),
        ("book", "payload:json=NaN", "", "NaN is no default of this type"),
        ("book", "at:datetime=2026-W01-1T00:00Z", "", "is no default of this type"),
        ("book", "price:decimal{29,2}", "", "digits in all, 28 at most"),
        ("x" * 30, f"{'y' * 30}:string", "", "Postgres has no room for the name ck_xxx"),
        ("book", TITLE, "yes", "OWNED=yes: say OWNED=1, or leave it out"),
    ],
)
def test_bad_use_is_told_and_nothing_written(
    pristine: Path, make_in: MakeIn, name: str, fields: str, owned: str, line: str
) -> None:
    before = tree(pristine)
    with pytest.raises(UsageError) as told:
        make_in(pristine, name, fields, owned)
    assert line in str(told.value)
    assert "\n" not in str(told.value)
    assert tree(pristine) == before


def test_reference_to_what_belongs_to_users_wants_an_owner_too(make: Make) -> None:
    make("shelf", TITLE, "1")
    with pytest.raises(UsageError, match="shelves belong to users, so what refers to them does too"):
        make("book", "shelf:references")


def test_name_of_the_relationship_must_be_free(make: Make) -> None:
    make("shelf", "books:integer")
    with pytest.raises(UsageError, match=r"shelves/models\.py has books already"):
        make("book", "shelf:references")


def test_missing_list_of_modules_is_told(checkout: Path, make: Make) -> None:
    (checkout / "web/app/__init__.py").write_text("")
    with pytest.raises(UsageError, match="has no list MODULES to mount"):
        make("book", TITLE)


@pytest.mark.parametrize("failing", ["give_to_owner", "replace"])
def test_run_that_fails_half_way_leaves_nothing(
    checkout: Path, make: Make, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    before = tree(checkout)
    monkeypatch.setattr(write, failing, fail)
    with pytest.raises(KeyboardInterrupt):
        make("book", TITLE)
    assert tree(checkout) == before
    assert '"books"' not in (checkout / "web/app/__init__.py").read_text()


def test_verb_says_what_is_wrong_in_one_line(checkout: Path) -> None:
    command = ["make", "--no-print-directory", "module", "NAME=books", f"FIELDS={TITLE}"]
    run = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.splitlines()[0] == "make module: NAME=books is a plural; say NAME=book"


@pytest.mark.parametrize(
    ("given", "one", "many", "model"),
    [
        ("book", "book", "books", "Book"),
        ("blog_post", "blog_post", "blog_posts", "BlogPost"),
        ("BlogPost", "blog_post", "blog_posts", "BlogPost"),
        ("category", "category", "categories", "Category"),
        ("person", "person", "people", "Person"),
        ("bus", "bus", "buses", "Bus"),
        ("todo", "todo", "todos", "Todo"),
        ("hero", "hero", "heroes", "Hero"),
        ("specimen", "specimen", "specimens", "Specimen"),
        ("address", "address", "addresses", "Address"),
        ("status", "status", "statuses", "Status"),
        ("analysis", "analysis", "analyses", "Analysis"),
        ("sheep", "sheep", "sheep", "Sheep"),
    ],
)
def test_names_are_english(given: str, one: str, many: str, model: str) -> None:
    names = module_names(given)
    assert (names.one, names.many, names.model) == (one, many, model)


def test_article_fits() -> None:
    assert (Names("author").a, Names("book").a) == ("an author", "a book")


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("comment", "comment:text"),
        ("answer", "item:string content:text"),
        ("item", "type:string hash:string session_length:integer statement:string:index"),
        ("page_view", "parent_task:string"),
    ],
)
def test_name_that_is_free_is_taken(make: Make, name: str, fields: str) -> None:
    assert len(make(name, fields)) == 13
