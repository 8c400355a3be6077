"""usage: python -m bench [profile], with its options in the environment (options.py)."""

import os
import signal
import sys
from types import FrameType

from rich.console import Console

from . import against, profile, remote, run
from .options import UsageError, read_options
from .tell import Failure


def main(verb: str) -> None:
    """Do what the verb says; what is wrong is told without a traceback."""
    console = Console()
    signal.signal(signal.SIGTERM, end)
    try:
        options = read_options(verb, os.environ | {"SECONDS": os.environ.get("BENCH_SECONDS", "")})
        if verb == "profile":
            profile.profile(options, console)
        elif options.against:
            against.measure(options, console)
        elif options.url:
            remote.measure(options, console)
        else:
            run.run(options, console)
    except (UsageError, Failure) as error:
        sys.exit(f"make {verb}: {error}")
    except KeyboardInterrupt:
        console.print(f"\nmake {verb}: interrupted")
        sys.exit(130)


def end(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does: everything that was started ends first."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main(*sys.argv[1:] or ["bench"])
