"""wrk, which sends as many requests as are answered: https://github.com/wg/wrk"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .tell import Failure
from .works import RECORDS, Request

SCRIPT = Path(__file__).parent / "load.lua"
NOTHING = "nothing"
UNCOUNTED = ("static", "cached")  # so fast that counting in Lua would be the limit


class LoadError(Failure):
    """Something else than 2xx came back."""

    def __init__(self, failures: dict[str, int]) -> None:
        super().__init__(", ".join(f"{number} × {explain(name)}" for name, number in failures.items()))
        self.failures = failures


@dataclass(frozen=True)
class Sample:
    """What came of a load: requests a second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float


def explain(name: str) -> str:
    """Return what a failure is that wrk or load.lua counts."""
    return (
        f"status {name}"
        if name.isdecimal()
        else {"status": "status ≥ 400", NOTHING: "no answer at all"}.get(name, f"{name} error")
    )


def command(url: str, request: Request, connections: int, seconds: int, counted: bool) -> list[str]:
    """Return the command line that sends `request` to the server at `url`."""
    line = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout=10s", "--latency"]
    line += ["--script", str(SCRIPT), url, "--", request.method, request.path, request.body, str(RECORDS)]
    line.append("counted" if counted else "uncounted")
    return line + [part for header in request.headers.items() for part in header]


def read_sample(output: str) -> Sample:
    """Return the sample that load.lua has printed as the last line (LoadError)."""
    said = json.loads(output.splitlines()[-1])
    failures = {name: number for name, number in said["failures"].items() if name != "status"}
    failures = failures or said["failures"]
    if not said["requests"]:
        failures[NOTHING] = 1
    if failures:
        raise LoadError(failures)
    return Sample(round(said["requests"] / said["seconds"], 1), said["p50"], said["p99"])


def load(url: str, request: Request, connections: int, seconds: int, counted: bool = True) -> Sample:
    """Send `request` over and over on so many connections; return what came of it (LoadError).

    Where nothing comes back at all, once more: in a short time, a machine may be busy with something else.
    """
    line = command(url, request, connections, seconds, counted)
    try:
        return read_sample(run(line))
    except LoadError as error:
        if NOTHING not in error.failures:
            raise
    return read_sample(run(line))


def run(line: list[str]) -> str:
    """Return what a command prints (LoadError)."""
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603 # wrk
    if done.returncode:
        raise LoadError({done.stdout.strip() or "wrk": 1})
    return done.stdout
