"""`make module`: write a module, with its tests, from a line that describes it."""

import os
import sys
from pathlib import Path

from .fields import read_fields
from .names import UsageError, module_names
from .render import Module
from .write import check_free, check_names, find_module, write


def main() -> None:
    """Read NAME, FIELDS and OWNED of the environment, and write the module; say what is wrong with them."""
    try:
        written = make(Path.cwd())
    except UsageError as error:
        sys.exit(f"make module: {error}")
    except OSError as error:
        sys.exit(f"make module: {error.filename}: {error.strerror}; nothing was written")
    print("\n".join(written))  # noqa: T201 # its user is to see them


def make(root: Path) -> list[str]:
    """Write the module that the environment describes; return its files in the checkout (UsageError)."""
    module = read_module(root)
    check_free(root, module)
    check_names(module)
    return write(root, module)


def read_module(root: Path) -> Module:
    """Return the module that the environment describes (UsageError)."""
    owned = os.environ.get("OWNED", "")
    if owned not in ("", "0", "1"):
        raise UsageError(f"OWNED={owned}: say OWNED=1, or leave it out")
    if owned == "1" and not (root / "web/app/gauth").is_dir():
        raise UsageError("OWNED=1 needs web/app/gauth, which knows who is signed in")
    names = module_names(os.environ.get("NAME", ""))
    fields = read_fields(os.environ.get("FIELDS", ""), lambda one: find_module(root, one))
    return Module(names, fields, owned == "1")


if __name__ == "__main__":
    main()
