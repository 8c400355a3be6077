import sys

import pytest

from bench.machine import is_optimised

PLAIN = {"CONFIG_ARGS": "'--enable-shared'", "PY_CORE_CFLAGS": "-O3", "PGO_PROF_USE_FLAG": "-fprofile-use"}


@pytest.mark.parametrize(
    ("variables", "prefix", "system", "optimised"),
    [
        (PLAIN, "/opt/python", "debian", False),
        (PLAIN, "/usr", "arch", False),
        (PLAIN, "/usr", "debian", True),
        ({"CONFIG_ARGS": "'--enable-optimizations' '--with-lto'"}, "/usr/local", "debian", True),
        ({"PY_CORE_CFLAGS": "-O3 -fprofile-use"}, "/usr/local", "", True),
    ],
)
def test_optimised_build_is_known_by_flags_or_distribution(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, object], prefix: str, system: str, optimised: bool
) -> None:
    monkeypatch.setattr(sys, "base_prefix", prefix)
    assert is_optimised(variables, system) is optimised
