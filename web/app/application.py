from collections.abc import Callable
from inspect import CO_COROUTINE
from types import FunctionType
from typing import Any
from weakref import WeakSet

from flask import Flask

PLAIN: WeakSet[Callable[..., Any]] = WeakSet()


class Application(Flask):
    """Flask, which finds out once of each function whether that is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` as a function that is called without `await`."""
        if type(func) is FunctionType and not func.__dict__ and not func.__code__.co_flags & CO_COROUTINE:
            return func  # which nothing marks as a coroutine either
        try:
            if func in PLAIN:
                return func
            ready = super().ensure_sync(func)
            if ready is func:
                PLAIN.add(func)
        except TypeError:  # of an object that cannot be told from others, or is not to be referred to so
            return super().ensure_sync(func)
        return ready
