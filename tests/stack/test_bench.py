"""make bench and make profile: they run, and leave nothing behind. How fast anything is, no test says."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.checkouts import Checkout
from tests.engines import Stack
from tests.releases import Typed
from tests.support import cannot_run, wait_until


@pytest.fixture(scope="module")
def bench(clone: Callable[[str], Checkout], tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone with its history, whose temporary files are in a folder of their own."""
    if not shutil.which("wrk"):
        cannot_run("wrk is not installed")
    bench = clone("bench")
    bench.environment["TMPDIR"] = str(tmp_path_factory.mktemp("temporary"))
    if os.getuid() == 0:  # whose git takes nothing from others
        subprocess.run(["chown", "--recursive", "--no-dereference", "0:0", bench.path], check=True)
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for arguments in (["init"], ["add", "--all"], [*who, "commit", "--message=All"]):
        subprocess.run(["git", *arguments], cwd=bench.path, check=True, capture_output=True)
    return bench


@pytest.fixture(autouse=True)
def nothing_is_left(bench: Checkout) -> Iterator[None]:
    """Hold that no file and no process is left of a copy; what is left all the same goes."""
    yield
    temporary = Path(bench.environment["TMPDIR"])
    processes, files = processes_in(temporary), list(temporary.iterdir())
    told = [" ".join(process.cmdline()) for process in processes]
    for process in processes:
        process.kill()
    for path in files:
        shutil.rmtree(path)
    assert (told, files) == ([], [])


def processes_in(folder: Path) -> list[psutil.Process]:
    """Return the processes that work under `folder`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process)
    return found


def test_bench_measures_each_contestant_by_its_answers(bench: Checkout) -> None:
    screen = bench.make("bench", "ROUNDS=1", "SECONDS=1", "WORK=list auth-create")
    assert "==> Results: some.json, some.md, some.svg in bench/results/" in screen
    results = json.loads((bench.path / "bench/results/some.json").read_text())
    measured = {(cell["work"], cell["against"], cell["connections"]) for cell in results["cells"]}
    assert measured == {(*pair, n) for pair in (("auth-create", "naive"), ("list", "bare")) for n in (16, 64)}
    for cell in results["cells"]:
        [ours], [other] = cell["ours"], cell["other"]
        assert min(ours["rate"], other["rate"], ours["p50"], other["p99"]) > 0
    assert set(results["figures"]) == {"list", "auth-create", "p99"}
    assert all(figure["low"] > 0 for several in results["figures"].values() for figure in several)
    assert results["versions"]["postgres"].startswith("18.")


def test_bench_that_is_interrupted_ends_its_servers(bench: Checkout) -> None:
    temporary = Path(bench.environment["TMPDIR"])
    with Typed(bench, "bench", "WORK=list") as running:
        wait_until(
            lambda: list(temporary.glob("*/.bare/run/nginx.pid")), "the other contestant to be started"
        )
        running.interrupt(signal.SIGINT)
    assert "make bench: interrupted" in running.screen
    assert running.process.returncode != 0


def test_bench_without_wrk_says_where_to_get_it(bench: Checkout, tmp_path: Path) -> None:
    for folder in reversed(bench.environment["PATH"].split(":")):
        for program in Path(folder).glob("*"):
            (tmp_path / program.name).unlink(missing_ok=True)
            (tmp_path / program.name).symlink_to(program)
    (tmp_path / "wrk").unlink()
    run = bench.try_make("bench", PATH=str(tmp_path))
    how = "make bench: needs wrk: apt install wrk (Debian, Ubuntu), brew install wrk (macOS)"
    assert run.stdout.splitlines()[0] == how


def test_bench_with_bad_seconds_says_so_in_a_line(bench: Checkout) -> None:
    run = bench.try_make("bench", "SECONDS=soon")
    assert run.stdout.splitlines()[0] == "make bench: SECONDS=soon: say a whole number from 1 to 1000"


def test_other_server_is_measured(bench: Checkout, stack: Stack) -> None:
    screen = bench.make("bench", f"URL={stack.url}", "SECONDS=1", "WORK=list page")
    assert [line.split()[1:4:2] for line in screen.splitlines() if line.startswith("│")] == [
        ["list", "16"],
        ["list", "64"],
        ["page", "16"],
        ["page", "64"],
    ]


def test_profile_draws_where_the_time_goes(bench: Checkout) -> None:
    run = bench.try_make("profile", "SECONDS=2", "WORK=auth-get")
    if run.returncode:
        assert "make profile: the kernel forbids it; type sudo" in run.stdout
        return
    graph = bench.path / "bench/results/profile-auth-get.svg"
    assert "bench/results/profile-auth-get.svg: open it in a browser" in run.stdout
    assert "rows.py" in graph.read_text()
