"""Clients that others' generators write from the OpenAPI document, with types that hold."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines import Stack
from tests.node import FOLDER
from tests.support import get

STRICT = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"]
MODULES = ["--module", "nodenext", "--target", "es2022", "--skipLibCheck"]
# Goes through what the API has for notes, with an API client that openapi-python-client has written.
SCRIPT = """
import sys

from api_client import Client
from api_client.api.notes import notes_create, notes_delete, notes_index, notes_show, notes_update
from api_client.models import Note, NoteCreate, NotePage, NoteUpdate, Problem

client = Client(base_url=sys.argv[1])
answer = notes_create.sync_detailed(client=client, body=NoteCreate(title="by Python"))
note = answer.parsed
assert isinstance(note, Note)
first = notes_index.sync(client=client, limit=1)
assert isinstance(first, NotePage)
assert first.items[0].created_at == note.created_at
shown = notes_show.sync(note.id, client=client)
assert isinstance(shown, Note)
tag = answer.headers["ETag"]
changed = notes_update.sync(note.id, client=client, body=NoteUpdate(body="changed"), if_match=tag)
assert isinstance(changed, Note)
again = notes_update.sync(note.id, client=client, body=NoteUpdate(body="lost"), if_match=tag)
assert isinstance(again, Problem)
notes_delete.sync_detailed(note.id, client=client)
gone = notes_show.sync_detailed(note.id, client=client)
print(shown.title, changed.body, again.title, gone.status_code.value, sep=", ")
"""


@pytest.fixture
def document(stack: Stack, tmp_path: Path) -> Path:
    """The OpenAPI document of the stack, in a file."""
    path = tmp_path / "openapi.json"
    path.write_bytes(get(f"{stack.url}/api/openapi.json").content)
    return path


def run(folder: Path, *command: str | Path) -> str:
    """Return what a command prints."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_client_in_typescript(stack: Stack, document: Path, tmp_path: Path, node_modules: None) -> None:
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "client.mts").write_bytes((FOLDER / "client.mts").read_bytes())
    programs = tmp_path / "node_modules/.bin"
    run(tmp_path, programs / "openapi-typescript", document, "--output", "api.d.mts")
    run(tmp_path, programs / "tsc", *STRICT, *MODULES, "client.mts")
    got = json.loads(run(tmp_path, "node", "client.mjs", stack.url))
    assert got == [True, "BY TYPESCRIPT", "changed", "Precondition Failed", 404]


def test_client_in_python(stack: Stack, document: Path, tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("package_name_override: api_client\npost_hooks: []\n")
    generator = Path(sys.executable).with_name("openapi-python-client")
    options = ["--meta", "none", "--config", "names.yaml", "--output-path", "api_client"]
    run(tmp_path, generator, "generate", "--path", document, *options)
    (tmp_path / "client.py").write_text(SCRIPT)
    run(tmp_path, sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "client.py")
    assert (
        run(tmp_path, sys.executable, "client.py", stack.url)
        == "by Python, changed, Precondition Failed, 404\n"
    )
