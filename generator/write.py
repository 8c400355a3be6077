"""Modules of a checkout: those that are there, and a new one, written whole or not at all."""

import ast
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

from .fields import read_fields
from .names import Names, UsageError
from .render import Module, tidy

PLATFORM = ("docs",)  # what it serves below /api/
APP = Path("web/app")
LIST = APP / "__init__.py"
END_OF_LIST = re.compile(r"^MODULES = \[\n(?:    .*\n)*(?=\]$)", re.MULTILINE)
IDENTIFIER_MAX = 63  # https://www.postgresql.org/docs/current/sql-syntax-lexical.html
NEUTRAL = "zy:string:search zx:enum{a,b} zw:json zv:decimal zu:date zt:uuid zs:text zr:boolean:index"
TEMPLATE_NAMES = {"loop", "caller", "config", "request", "session", "g", "self", "super", "modules", "module"}
SUFFIXES = ("", "Page", "Update")  # of schemas in the OpenAPI document
SCHEMAS = {"Problem", "Error", "PaginationMetadata"}  # of the OpenAPI document


def find_module(root: Path, one: str) -> Names | None:
    """Return the names of the module of `one`, None where there is none."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", one, re.ASCII):
        return None
    names = Names(one)
    models = root / APP / names.many / "models.py"
    found = models.is_file() and re.search(
        rf"^class {names.model}\((.*)\):", models.read_text(), re.MULTILINE
    )
    return Names(one, owned="Owned" in found[1]) if found else None


def check_free(root: Path, module: Module) -> None:
    """Refuse a module whose names are taken (UsageError)."""
    names = module.names
    said = f"NAME={names.one}"
    if names.many in PLATFORM:
        raise UsageError(f"{said}: /api/{names.many} is the platform's; take another name")
    for path in (APP / names.many, APP / f"{names.many}.py", Path("tests/unit/app") / names.many):
        if (root / path).exists():
            raise UsageError(f"{said}: there is {path} already; delete it first, or take another name")
    for models in sorted((root / APP).glob("*/models.py")):
        text = models.read_text()
        if f'__tablename__ = "{names.many}"' in text:
            raise UsageError(
                f"{said}: {models.relative_to(root)} has a table {names.many}; take another name"
            )
    for schemas in sorted((root / APP).glob("*/schemas.py")):
        for other in re.findall(r"^class (\w+)Schema\(", schemas.read_text(), re.MULTILINE):
            taken = {f"{other}{suffix}" for suffix in SUFFIXES}
            if taken & {f"{names.model}{suffix}" for suffix in SUFFIXES}:
                raise UsageError(f"{said}: {schemas.relative_to(root)} has a {other}; take another name")
    if names.model in SCHEMAS:
        raise UsageError(f"{said}: the API's document has a {names.model}; take another name")
    for name in module.names_in_database:
        if len(name) > IDENTIFIER_MAX:
            raise UsageError(f"{said}: Postgres has no room for the name {name}; take shorter ones")
    for field in module.references:
        check_target(root, module, field.target or names)
    if not END_OF_LIST.search((root / LIST).read_text()):
        raise UsageError(f"{LIST} has no list MODULES to mount a module in; put it back")


def check_target(root: Path, module: Module, target: Names) -> None:
    """Refuse a reference that the other module has no room for, or that would tell of others' records."""
    models = APP / target.many / "models.py"
    if re.search(rf"^    {module.names.many}\b", (root / models).read_text(), re.MULTILINE):
        raise UsageError(
            f"FIELDS: {models} has {module.names.many} already, as the relationship would be called"
        )
    if target.owned and not module.owned:
        raise UsageError(
            f"FIELDS: {target.texts} belong to users, so what refers to them does too; add OWNED=1"
        )


def check_names(module: Module) -> None:
    """Refuse a name that the code of a module uses itself (UsageError)."""
    neutral = Module(Names("zyxw"), read_fields(NEUTRAL, lambda _: None), module.owned)
    files = {path: text for path, text in neutral.files().items() if path.startswith("web/")}
    used = TEMPLATE_NAMES.union(*(names_in(path, text) for path, text in files.items()))
    for name in (module.names.one, module.names.model):
        if name in used:
            raise UsageError(
                f"NAME={module.names.one}: the code of a module has a {name} itself; take another name"
            )
    imported = set(imports(files[f"web/app/{neutral.names.many}/models.py"]))
    for field in module.fields:
        for name in {field.name, field.column} & imported:
            raise UsageError(f"FIELDS: {name}: the code of a model has a {name} itself; take another name")


def names_in(path: str, text: str) -> Iterator[str]:
    """Yield the names that Python or a template uses for something."""
    if not path.endswith(".py"):
        yield from (node.name for node in Environment().parse(text).find_all(nodes.Name))  # noqa: S701 # it renders nothing
        return
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                yield name
    yield from imports(text)


def imports(text: str) -> Iterator[str]:
    """Yield what a module imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.alias):
            yield node.asname or node.name


def write(root: Path, module: Module) -> list[str]:
    """Write the files of `module`, mount it, and return their paths; what fails leaves nothing behind."""
    files = tidy(module.files())
    listing = root / LIST
    before = listing.read_text()
    line = f'    "{module.names.many}",\n'
    folders = [root / APP / module.names.many, root / "tests/unit/app" / module.names.many]
    try:
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        for folder in folders:
            give_to_owner(root, folder)
        replace(listing, END_OF_LIST.sub(lambda found: found[0] + line, before, count=1))
    except BaseException:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if listing.read_text() != before:
            replace(listing, before)
        raise
    return [*files, str(LIST)]


def give_to_owner(root: Path, folder: Path) -> None:
    """Where root types it, let what was written belong to the owner of the checkout."""
    owner = (root / LIST).stat()
    if os.geteuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, owner.st_uid, owner.st_gid)


def replace(path: Path, text: str) -> None:
    """Write `path` anew in one step, with the mode and the owner that it has."""
    before, new = path.stat(), path.with_name(f".{path.name}.new")
    try:
        new.write_text(text)
        new.chmod(before.st_mode)
        if os.geteuid() == 0:
            os.chown(new, before.st_uid, before.st_gid)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
