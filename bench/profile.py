"""`make profile`: a flame graph of web under load, by py-spy: https://github.com/benfred/py-spy"""

import re
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from .database import Database
from .options import Options
from .report import RESULTS
from .stack import Stack, running
from .tell import Failure, say
from .works import CONNECTIONS, WORKS
from .wrk import load

BESIDE = 2  # seconds that the load lasts longer than the recording, which takes a moment to begin
REFUSED = "the kernel forbids it; type sudo sysctl kernel.yama.ptrace_scope=0, or this with sudo"
FRAME = re.compile(
    r"<title>(?P<name>[^<]*) \([\d,]+ samples?, [\d.]+%\)</title>"
    r'<rect [^>]*?y="(?P<y>[\d.]+)"[^>]*?fg:x="(?P<x>\d+)" fg:w="(?P<width>\d+)"'
)


def profile(options: Options, console: Console) -> None:
    """Record web while it is loaded; say where the graph is, and what took the most time itself (Failure)."""
    [name] = options.works
    path = RESULTS / f"profile-{name}.svg"
    RESULTS.mkdir(exist_ok=True)
    say(console, "Starting the stack in a copy of this checkout")
    with running() as stack:
        Database(stack).seed()
        load(stack.url, WORKS[name].ours, CONNECTIONS[0], 1)
        say(console, f"Recording {options.seconds} s of {name}")
        record(stack, name, options.seconds, path)
    for function, share in busiest(path.read_text()):
        console.print(f"{share:6.1%}  {function}", highlight=False, markup=False)
    say(console, f"bench/results/{path.name}: open it in a browser")


def record(stack: Stack, name: str, seconds: int, path: Path) -> None:
    """Write the flame graph of all of web's processes to `path` (Failure)."""
    line = [f"{stack.path}/venv/bin/py-spy", "record", "--subprocesses", f"--pid={stack.web.pid}"]
    line += [f"--duration={seconds}", "--rate=200", f"--output={path}"]
    with ThreadPoolExecutor() as beside:
        loading = beside.submit(load, stack.url, WORKS[name].ours, CONNECTIONS[0], seconds + BESIDE)
        run = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603 # fixed
    loading.result()
    if run.returncode or not path.exists():
        refused = re.search("permission|requires root", run.stdout, re.IGNORECASE)
        raise Failure(REFUSED if refused else f"py-spy: {run.stdout[-1000:]}")


def busiest(graph: str, number: int = 5) -> list[tuple[str, float]]:
    """Return the functions of a flame graph that took the most time themselves, with their share of all."""
    frames = [(m["name"], float(m["y"]), int(m["x"]), int(m["width"])) for m in FRAME.finditer(graph)]
    heights = sorted({y for _, y, _, _ in frames})
    own: Counter[str] = Counter()
    for name, y, x, width in frames:
        above = [
            w for _, v, u, w in frames if heights.index(v) == heights.index(y) + 1 and x <= u < x + width
        ]
        own[name] += width - sum(above)
    whole = max((width for *_, width in frames), default=1)
    return [(name, share / whole) for name, share in own.most_common(number)]
