"""A drill: rollouts under load, of which no request is to tell."""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.copies import ROOT

from .rollouts import Rollout, plan, roll_out
from .site import Site, VerbFailed
from .verify import Losses, verify

PATHS = ["--slow", "/api/drill/slow", "--upload", "/api/drill/upload"]


@dataclass(frozen=True)
class Outcome:
    """What came of a drill; `gone` are the style sheets that are no longer served."""

    engine: str
    rollouts: list[Rollout]
    load: dict[str, Any]
    losses: Losses
    gone: list[str]
    broke_off: str

    @property
    def held(self) -> bool:
        """Tell whether nobody has noticed anything."""
        lost = self.losses.lost or self.losses.duplicates or self.gone
        return not (self.load["failed"] or lost or self.broke_off)


def drill(engine: str, number: int, watch: int, rate: int, tell: Callable[[str], None]) -> Outcome:
    """Make so many rollouts under load, and return what came of it (VerbFailed where it cannot begin)."""
    with site(engine) as here, tempfile.TemporaryDirectory() as folder:
        acknowledged = Path(folder) / "acknowledged"
        styles, rollouts, broke_off = [style(here)], [], ""
        load = start_load(here, acknowledged, rate)
        try:
            for place, kind in enumerate(plan(number), 1):
                rollouts.append(roll_out(here, kind, str(place), watch))
                tell(f"{place} of {number}: {kind}, {rollouts[-1].seconds:.1f} s")
                styles.append(style(here))
        except (AssertionError, VerbFailed) as error:
            broke_off = f"{kind}: {error}"
        finally:
            report = end_load(load)
        gone = [name for name in styles if here.get(name).status_code != 200]
        return Outcome(engine, rollouts, report, verify(acknowledged, here.titles()), gone, broke_off)


@contextmanager
def site(engine: str) -> Iterator[Site]:
    """Serve a copy of the checkout, of which nothing stays."""
    path = Path(tempfile.mkdtemp(prefix="slipway-drill-")).resolve()
    here = Site(path, engine)
    try:
        here.start()
        yield here
    finally:
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        with suppress(VerbFailed):
            here.make("clean", "sure=yes")
        shutil.rmtree(path, ignore_errors=True)
        signal.signal(signal.SIGINT, handler)


def style(here: Site) -> str:
    """Return the address of the style sheet that the first page names."""
    [found] = re.findall(r'href="(/static/style\.[0-9a-f]{12}\.css)"', here.get("/").text)
    return str(found)


def start_load(here: Site, acknowledged: Path, rate: int) -> subprocess.Popen[str]:
    """Start the load, as a process of its own."""
    line = ["--url", here.url, "--ca", str(here.certificate), "--acknowledged", str(acknowledged)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.drill.load", *line, "--rate", str(rate), *PATHS],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def end_load(load: subprocess.Popen[str]) -> dict[str, Any]:
    """End it, and return its report."""
    output, _ = load.communicate("")
    return dict(json.loads(output))
