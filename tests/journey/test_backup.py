"""`make backup`, and `make restore` of what it wrote."""

from tests.checkouts import Checkout, kept_databases
from tests.engines import has_data


def test_restore_brings_back_what_was_saved_and_keeps_the_rest(checkout: Checkout, backup: str) -> None:
    checkout.create_note(title="newer")
    screen = checkout.make("restore", f"FILE={backup}", "sure=yes")
    assert checkout.titles()[0] == "kept"
    [kept] = kept_databases(screen)
    checkout.make("restore", f"back={kept}", "sure=yes")
    assert checkout.titles()[0] == "newer"


def test_backup_is_restored_after_clean_and_on_a_stack_that_is_down(checkout: Checkout, backup: str) -> None:
    checkout.make("clean", "sure=yes")
    assert not has_data(checkout)
    checkout.make("restore", f"FILE={backup}", "sure=yes")
    checkout.make("up")
    assert checkout.titles()[0] == "kept"
