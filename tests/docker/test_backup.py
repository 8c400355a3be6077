"""A backup that changes the engine."""

import re

from tests.checkouts import Checkout


def test_backup_of_one_engine_is_restored_on_the_other(checkout: Checkout, backup: str) -> None:
    checkout.make("down")
    first = checkout.make("up", "ENGINE=native")
    assert "Engine docker has data of its own, which stays there and is not seen here" in first
    checkout.make("restore", f"FILE={backup}", "sure=yes", "ENGINE=native")
    assert checkout.titles()[0] == "kept"
    checkout.create_note(title="on native")
    run = checkout.try_make("up")
    assert run.returncode != 0
    assert "the stack runs on engine native; type make down ENGINE=native first" in run.stdout
    [file] = re.findall(r"make restore FILE=(\S+)", checkout.make("backup", "ENGINE=native"))
    checkout.make("clean", "sure=yes", "ENGINE=native")
    checkout.make("up")
    checkout.make("restore", f"FILE={file}", "sure=yes")
    assert checkout.titles()[:2] == ["on native", "kept"]
