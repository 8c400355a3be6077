"""What `make doctor` finds of this machine."""

from pathlib import Path

from tests.checkouts import Checkout
from tests.doctor import doctor, stand_in


def test_little_memory_is_found(resting: Checkout, tmp_path: Path) -> None:
    # A stand-in, as no test may fill the memory.
    path = stand_in(tmp_path, "awk", 'case "$*" in *MemAvailable*) echo 50 ;; *) exec "$REAL" "$@" ;; esac')
    assert any("only 50 MB of memory are free" in line for line in doctor(resting, PATH=path))


def test_python_that_does_not_do_is_found(resting: Checkout, tmp_path: Path) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        path = stand_in(tmp_path, name, 'case "$1" in --version) echo Python 3.9.1 ;; *) exit 1 ;; esac')
    assert any("needs Python 3.11 to 3.14" in line and "3.9.1" in line for line in doctor(resting, PATH=path))
