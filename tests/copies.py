"""A copy of this checkout, to try things in: its files, and the settings of a production."""

import atexit
import secrets
import shutil
import socket
import subprocess
from contextlib import suppress
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Where a test or a benchmark is one client, it asks more often than any.
UNLIMITED = {f"RATE_{name}": "100000" for name in ("LIMIT", "BURST", "LIMIT_UNSAFE", "BURST_UNSAFE")}


# Below those of outgoing connections, one of which could take a port while its server restarts.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free, and reserve it for this process.

    Whoever reserves a TCP port holds the UDP port of that number until its process ends, so that of any
    number of processes that look for one at the same time no two find the same.
    """
    start = secrets.randbelow(len(PORTS))
    for port in chain(PORTS[start:], PORTS[:start]):
        claim = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as probe, suppress(OSError):
            claim.bind(("127.0.0.1", port))
            probe.bind(("127.0.0.1", port))
            atexit.register(claim.close)
            return port
        claim.close()
    raise OSError(f"no port of {PORTS.start} to {PORTS.stop - 1} is free")


def production_settings(port: int) -> dict[str, str]:
    """Return the .env of a production on `port` of 127.0.0.1, which bounds no client."""
    return {
        "APP_SETTINGS": "config.ProductionConfig",
        "CLIENT_CONNECTIONS": "1000",
        "COMPOSE_PROFILES": "db",
        "CSRF_SESSION_KEY": secrets.token_urlsafe(32),
        "HTTP_BIND": "127.0.0.1",
        "HTTP_PORT": str(port),
        **UNLIMITED,
        "POSTGRES_PASSWORD": "these @ / : %41 $x # characters are trouble",
        "SECRET_KEY": secrets.token_urlsafe(32),
    }


def write_settings(path: Path, settings: dict[str, str]) -> None:
    """Write a .env in which each value is taken literally."""
    path.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))


def copy_repository(path: Path) -> None:
    """Copy to `path` what git would clone, and link the packages that this checkout has installed."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for file in subprocess.check_output(listing, cwd=ROOT, text=True).split("\0"):  # fixed
        if file and (ROOT / file).exists():
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, path / file)
    (path / "venv").symlink_to(ROOT / "venv")
