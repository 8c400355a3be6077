import pytest

from bench.options import UsageError, read_options


def test_nothing_typed_is_the_whole_bench() -> None:
    options = read_options("bench", {})
    assert (options.rounds, options.seconds, options.url) == (3, 8, "")
    assert {"list", "auth-create", "cached", "page", "memory", "up", "last"} <= set(options.works)


def test_works_are_taken_in_their_own_order() -> None:
    options = read_options("bench", {"WORK": "get auth-list", "ROUNDS": "5", "SECONDS": "4"})
    assert (options.works, options.rounds, options.seconds) == (("auth-list", "get"), 5, 4)


def test_other_server_is_only_read_unless_work_says_create() -> None:
    url = {"URL": "http://example.com/"}
    assert read_options("bench", url).works == ("list", "get", "page")
    assert read_options("bench", url | {"WORK": "create"}).works == ("create",)
    assert read_options("bench", url).url == "http://example.com"


def test_commit_is_compared_by_all_loads() -> None:
    options = read_options("bench", {"AGAINST": "HEAD~1"})
    assert (options.against, {"list", "auth-create", "page"} <= set(options.works)) == ("HEAD~1", True)


def test_profile_is_of_one_work() -> None:
    options = read_options("profile", {})
    assert (options.works, options.seconds) == (("list",), 10)
    assert read_options("profile", {"WORK": "auth-list"}).works == ("auth-list",)


@pytest.mark.parametrize(
    ("verb", "typed", "line"),
    [
        ("bench", {"ROUNDS": "0"}, "ROUNDS=0: say a whole number from 1 to 1000"),
        ("bench", {"ROUNDS": "three"}, "ROUNDS=three: say a whole number"),
        ("bench", {"ROUNDS": "1001"}, "ROUNDS=1001: say a whole number"),
        ("bench", {"ROUNDS": "1" * 5000}, "say a whole number"),
        ("bench", {"SECONDS": "1.5"}, "SECONDS=1.5: say a whole number"),
        ("bench", {"SECONDS": "-1"}, "SECONDS=-1: say a whole number"),
        ("bench", {"WORK": "lists"}, "WORK=lists: there are auth-list, auth-get"),
        ("bench", {"AGAINST": "--output=x"}, "AGAINST=--output=x: say a commit, as HEAD~1"),
        ("bench", {"AGAINST": "HEAD~1", "WORK": "memory"}, "WORK=memory: there are auth-list"),
        ("bench", {"URL": "example.com"}, "URL=example.com: say it as http://host:port"),
        ("bench", {"URL": "http://"}, "say it as http://host:port"),
        ("bench", {"URL": "http://example.com", "WORK": "auth-list"}, "there are list, get, create, page"),
        ("profile", {"WORK": "memory"}, "WORK=memory: there are auth-list"),
        ("profile", {"WORK": "list get"}, "WORK=list get: one at a time"),
    ],
)
def test_bad_use_is_told(verb: str, typed: dict[str, str], line: str) -> None:
    with pytest.raises(UsageError, match=r"^[^\n]+$") as told:
        read_options(verb, typed)
    assert line in str(told.value)
