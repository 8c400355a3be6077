"""Views and hooks that are no plain functions."""

from dataclasses import dataclass

import pytest
from flask import Flask


@dataclass
class Unhashable:
    """A view that equals another."""

    def __call__(self) -> str:
        return "answer"


class WithoutReferences:
    """A view that is not to be referred to weakly."""

    __slots__ = ()

    def __call__(self) -> str:
        return "answer"


async def answer() -> str:
    return "answer"


@pytest.mark.parametrize("view", [Unhashable(), WithoutReferences()])
def test_view_may_be_an_object(app: Flask, view: Unhashable | WithoutReferences) -> None:
    assert app.ensure_sync(view)() == "answer"


def test_coroutine_is_told_each_time(app: Flask) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError, match="Install Flask with the 'async' extra"):
            app.ensure_sync(answer)
