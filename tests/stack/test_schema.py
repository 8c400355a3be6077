"""The API through nginx, with all that its own OpenAPI document allows and forbids, by schemathesis."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.checkouts import Checkout, variables
from tests.support import ROOT, UNLIMITED


def test_api_does_what_its_document_says(
    demo: Checkout, tmp_path: Path, hold_row: Callable[..., None]
) -> None:
    demo.make("demo-login", *variables(UNLIMITED | {"RATE_LIMIT_SIGN_IN": "100000"}))
    provider = httpx.get(f"{demo.url}/gauth/login").headers["Location"].partition("/authorize")[0]
    id_token = httpx.get(f"{provider}/id-token", params={"email": "ada@example.com"}).json()["id_token"]
    command = [str(ROOT / "venv/bin/schemathesis"), "--no-color", "--config-file"]
    run = subprocess.run(
        [*command, str(ROOT / "tests/schemathesis.toml"), "run", f"{demo.url}/api/openapi.json"],
        cwd=tmp_path,  # where it leaves a cache
        env=os.environ | {"ID_TOKEN": id_token},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    operations = httpx.get(f"{demo.url}/api/openapi.json").json()["paths"].values()
    number = sum(len(set(operation) - {"parameters"}) for operation in operations)
    assert f"Tested: {number}" in run.stdout
    hold_row("The API by its document", f"{number} operations", "nothing found")
