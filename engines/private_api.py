"""Finds what rests on private parts of a library: `make lint` calls it.

usage: python engines/private_api.py FOLDER...
It is a name that begins with one underscore, as none of ours does; or a module's attribute that is set.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

# What its library documents all the same.
DOCUMENTED = {
    "_deserialize": "marshmallow: https://marshmallow.readthedocs.io/en/stable/custom_fields.html",
    "_serialize": "marshmallow: likewise",
    "_prepare_response_content": "flask-smorest: https://flask-smorest.readthedocs.io/en/latest/response.html",
    "_typeshed": "typing: types for type checkers alone",
    "logging.logMultiprocessing": "Python: https://docs.python.org/3/howto/logging.html#optimization",
    "logging.logProcesses": "Python: likewise",
    "logging.logThreads": "Python: likewise",
}


def is_private(name: str) -> bool:
    """Tell whether `name` is one that its library keeps to itself."""
    return len(name) > 1 and name[0] == "_" != name[1] and name not in DOCUMENTED


def private_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each use of what is private."""
    modules = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=name, ctx=ast.Store()):
                whole = f"{ast.unparse(value)}.{name}"
                if is_private(name) or (ast.unparse(value) in modules and whole not in DOCUMENTED):
                    yield node.lineno, whole
            case ast.Attribute(attr=name) if is_private(name):
                yield node.lineno, name
            case ast.ImportFrom(module=module, names=names):
                parts = [*(module or "").split("."), *(alias.name for alias in names)]
                yield from ((node.lineno, part) for part in parts if is_private(part))
            case ast.ClassDef(body=body):
                for member in body:
                    if isinstance(member, ast.FunctionDef) and is_private(member.name):
                        yield member.lineno, member.name
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ):
                if is_private(name):
                    yield node.lineno, name


def main(folders: list[str]) -> int:
    """Print what was found; return 1 if that is anything."""
    found = [
        f"{path}:{line}: {name} is private to its library"
        for folder in folders
        for path in sorted(Path(folder).rglob("*.py"))
        for line, name in private_names(ast.parse(path.read_bytes()))
    ]
    print("\n".join(found) or "Nothing private of a library is used")  # noqa: T201 # what it is for
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
