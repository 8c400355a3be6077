"""`make bench`: the whole run, on this machine."""

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import report
from .answers import check_answers, write_static
from .database import Database
from .extras import EXTRAS
from .machine import commit, machine, versions
from .options import Options
from .ratios import Figure, figures, holds
from .rounds import Bench, Cell, cells_of, contestants_of, works_of
from .servers import contestants
from .stack import Stack, running
from .tell import say
from .works import NAMES, TARGETS, Work

WARM_UP = 1  # seconds


def run(options: Options, console: Console) -> None:
    """Measure on this machine; write the results, and tell them (Failure)."""
    say(console, "Starting the stack in a copy of this checkout")
    with running() as stack:
        database = Database(stack)
        database.seed()
        about = describe(options, database)
        works = works_of(options.works, stack.can_cache())
        cells = measure(stack, database, works, options, console)
        found = figures(cells) | measure_extras(stack, database, options, console)
    tell(options, about, cells, found, console)


def describe(options: Options, database: Database) -> dict[str, Any]:
    """Return on what it is measured, and how."""
    how = {"rounds": options.rounds, "seconds": options.seconds}
    where = {"commit": commit(), "machine": machine(), "versions": versions(database.version())}
    return {"date": datetime.now(UTC).date().isoformat()} | where | how


def measure(
    stack: Stack, database: Database, works: dict[str, Work], options: Options, console: Console
) -> list[Cell]:
    """Return the cells of `works`, measured (Failure)."""
    write_static(stack)
    cells = cells_of(works)
    with contestants(stack, contestants_of(works)) as urls, progress(console) as bar:
        check_answers(works, urls)
        database.forget_created()
        task = bar.add_task("", total=len(cells) * (1 + 2 * options.rounds))
        for what in Bench(stack, database, urls, WARM_UP).measure(cells_of(works)[::2], 1):
            bar.update(task, description=f"warming up: {what}", advance=1)
        for what in Bench(stack, database, urls, options.seconds).measure(cells, options.rounds):
            bar.update(task, description=what, advance=1)
    return cells


def progress(console: Console) -> Progress:
    """Return a progress bar, which is shown on terminals only."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def measure_extras(
    stack: Stack, database: Database, options: Options, console: Console
) -> dict[str, list[Figure]]:
    """Return the figures of what is no load (Failure)."""
    found = {}
    for name, measure in EXTRAS.items():
        if name in options.works:
            say(console, TARGETS[name].title)
            found[name] = measure(stack, database, options.rounds, options.seconds)
    return found


def tell(
    options: Options,
    about: dict[str, Any],
    cells: list[Cell],
    found: dict[str, list[Figure]],
    console: Console,
) -> None:
    """Write the results, as the latest where all was measured; say where they are, and what was missed."""
    whole = options.works == NAMES
    paths = report.write("latest" if whole else "some", about, cells, found)
    if whole:
        report.show_in_readme(found)
    console.print(Markdown(paths[1].read_text()))
    for name, target in TARGETS.items():
        if name in options.works and not found.get(name):
            say(console, f"Not measured here: {target.title}")
        if not holds(target, found.get(name, []), target.must):
            say(console, f"Missed: {target.title}")
    say(console, f"Results: {', '.join(path.name for path in paths)} in bench/results/")
