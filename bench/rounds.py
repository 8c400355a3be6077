"""Interleaved rounds: the two sides of a comparison one after the other, in an order that alternates."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from .database import Database
from .stack import Stack
from .tell import Failure
from .works import CONNECTIONS, WORKS, Request, Work
from .wrk import UNCOUNTED, LoadError, Sample, load

PATIENCE = 60  # seconds


@dataclass
class Cell:
    """A work on so many connections: a sample of each side for each round."""

    work: str
    connections: int
    ours: list[Sample] = field(default_factory=list)
    other: list[Sample] = field(default_factory=list)

    def sides(self, turn: int) -> list[tuple[Request, list[Sample]]]:
        """Return the request and the samples of each side, in the order of this turn."""
        work = WORKS[self.work]
        both = [(work.ours, self.ours), (work.other, self.other)]
        return both[::-1] if turn % 2 else both


class Bench:
    """A run of the rounds on a stack, with the servers of the others."""

    def __init__(self, stack: Stack, database: Database, urls: dict[str, str], seconds: int) -> None:
        self.stack = stack
        self.database = database
        self.urls = urls
        self.seconds = seconds

    def measure(self, cells: list[Cell], rounds: int) -> Iterator[str]:
        """Fill `cells`; yield what comes next before each load (Failure)."""
        for number in range(rounds):
            for index, cell in enumerate(cells):
                for request, samples in cell.sides(number + index):
                    name = f"{cell.work}, {request.contestant}, {cell.connections} connections"
                    yield name
                    samples.append(self.sample(name, cell, request))

    def sample(self, name: str, cell: Cell, request: Request) -> Sample:
        """Load a contestant; leave the tables and the logs as they were (Failure)."""
        try:
            counted = cell.work not in UNCOUNTED
            return load(self.urls[request.contestant], request, cell.connections, self.seconds, counted)
        except LoadError as error:
            log = self.stack.log(request.contestant)
            raise Failure(f"{name}: not all of it was answered by 2xx: {error}\n{log}".strip()) from error
        finally:
            drain(self.urls[request.contestant])
            if request.method == "POST":
                self.database.forget_created()
            empty_logs(self.stack)


def drain(url: str) -> None:
    """Wait until a contestant has done what wrk, which hangs up at the end, had still asked for."""
    for _ in range(2):
        with suppress(httpx.TransportError):  # it may have died
            httpx.get(f"{url}/api", timeout=PATIENCE, trust_env=False)


def empty_logs(stack: Stack) -> None:
    """Empty nginx's logs, which grow by a line for each request; it appends to them."""
    for log in stack.path.glob(".*/log/nginx.log"):
        log.write_text("")


def works_of(names: tuple[str, ...], can_cache: bool) -> dict[str, Work]:
    """Return those of `names` that are a load and can be measured."""
    return {name: work for name, work in WORKS.items() if name in names and (can_cache or name != "cached")}


def cells_of(works: dict[str, Work]) -> list[Cell]:
    """Return the empty cells of `works`."""
    return [Cell(name, connections) for name in works for connections in CONNECTIONS]


def contestants_of(works: dict[str, Work]) -> set[str]:
    """Return who takes part in `works`."""
    return {request.contestant for work in works.values() for request in (work.ours, work.other)}
