"""Send load until standard input ends or SIGTERM comes; print what came of it, as JSON.

usage: python -m tests.drill.load --url https://127.0.0.1:8443 --ca tls/cert.pem --acknowledged FILE
         [--rate 240] [--slow /slow] [--upload /upload]
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

from .actions import Actions
from .journal import Journal
from .pace import Load
from .tally import Tally
from .wire import Server


async def main(options: argparse.Namespace) -> None:
    """Send load until told to stop."""
    tally = Tally()
    actions = Actions(tally, Journal(options.acknowledged), options.slow, options.upload)
    load = Load(Server(options.url, options.ca), actions)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, load.stop.set)
    threading.Thread(target=wait_for_end, args=[loop, load.stop], daemon=True).start()
    await load.run(options.rate)
    print(json.dumps(tally.document(), indent=2))  # noqa: T201 # its output


def wait_for_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop at the end of standard input.

    It is read past Python's own file, whose lock would keep the process from ending after SIGTERM.
    """
    while os.read(sys.stdin.fileno(), 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


def read_options() -> argparse.Namespace:
    """Return what is typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--ca")
    parser.add_argument("--rate", type=float, default=240)
    parser.add_argument("--acknowledged", type=Path, required=True)
    parser.add_argument("--slow", default="/slow")
    parser.add_argument("--upload", default="/upload")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(read_options()))
