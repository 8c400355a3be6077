"""The platform knows nothing of the app, and no file of it imports one that imports it."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.copies import ROOT

PLATFORM = ROOT / "web/slipway"
FILES = sorted(PLATFORM.rglob("*.py"))


def name_of(path: Path) -> str:
    """Return the whole name of a module."""
    return ".".join(path.relative_to(ROOT / "web").with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever in it, by their whole names."""
    package = list(path.relative_to(ROOT / "web").parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PLATFORM)))
def test_platform_imports_nothing_of_the_app(path: Path) -> None:
    tops = {name.partition(".")[0] for name in imports(path)}
    assert not tops & {"app", "config", "run", "manage"}


def test_no_import_leads_in_a_circle() -> None:
    names = {path: name_of(path) for path in FILES if path != PLATFORM / "__init__.py"}
    graph = {name: imports(path) & {*names.values()} - {name} for path, name in names.items()}
    assert any(graph.values())
    TopologicalSorter(graph).prepare()  # which raises CycleError
