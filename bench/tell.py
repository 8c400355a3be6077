"""What is told to who typed the verb."""

from rich.console import Console


def say(console: Console, text: str) -> None:
    """Tell what is done, as the other verbs do."""
    console.print(f"==> {text}", highlight=False, markup=False, soft_wrap=True)


class Failure(Exception):  # noqa: N818 # told to who typed the verb
    """The measurement cannot go on; the message says why."""
