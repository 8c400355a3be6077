"""`make bench AGAINST=COMMIT`: this checkout and a commit of it take turns, each in a stack of its own."""

from statistics import median

from rich.console import Console
from rich.table import Table

from .database import Database
from .options import Options
from .ratios import spread
from .rounds import drain, empty_logs
from .stack import Stack, running
from .tables import told_figure
from .tell import Failure, say
from .works import CONNECTIONS, WORKS
from .wrk import LoadError, Sample, load

Side = tuple[Stack, Database]


def measure(options: Options, console: Console) -> None:
    """Load both, and tell the ratios of the rounds (Failure)."""
    say(console, f"Starting the stack in a copy of this checkout, and of {options.against}")
    with running() as ours, running(options.against) as before:
        sides = [(ours, Database(ours)), (before, Database(before))]
        for _, database in sides:
            database.seed()
        table = Table("work", "connections", "ratio", "req/s", "p99 ms", title=f"against {options.against}")
        for name in options.works:
            for connections in CONNECTIONS:
                say(console, f"{name}, {connections} connections")
                table.add_row(name, str(connections), *compared(sides, name, connections, options))
        console.print(table)


def compared(sides: list[Side], name: str, connections: int, options: Options) -> tuple[str, str, str]:
    """Return the ratio of the rates, our rate and our 99th percentile; a round goes before (Failure)."""
    rounds = []
    for turn in range(-1, options.rounds):
        seconds = options.seconds if turn >= 0 else 1
        order = sides if turn % 2 else sides[::-1]
        samples = {id(side): sample(side, name, connections, seconds) for side in order}
        rounds.append([samples[id(side)] for side in sides])
    ratio = spread("", [ours.rate / before.rate for ours, before in rounds[1:]])
    ours = [pair[0] for pair in rounds[1:]]
    return (
        told_figure(ratio, ""),
        f"{median(sample.rate for sample in ours):.0f}",
        f"{median(sample.p99 for sample in ours):.1f}",
    )


def sample(side: Side, name: str, connections: int, seconds: int) -> Sample:
    """Load one of them; leave its tables and logs as they were (Failure)."""
    stack, database = side
    request = WORKS[name].ours
    try:
        return load(stack.url, request, connections, seconds)
    except LoadError as error:
        raise Failure(f"{name}, {connections} connections: {error}\n{stack.log()}") from error
    finally:
        drain(stack.url)
        if request.method == "POST":
            database.forget_created()
        empty_logs(stack)
