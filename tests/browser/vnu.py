"""What the Nu Html Checker finds, which validator.w3.org runs: https://github.com/validator/validator"""

import json
import shutil
import subprocess
from pathlib import Path

from tests.node import FOLDER
from tests.support import cannot_run

JAR = FOLDER / "node_modules/vnu-jar/build/dist/vnu.jar"


def faults(pages: dict[str, str], folder: Path) -> list[str]:
    """Return what is wrong with pages, and what is warned of, by their paths; `folder` gets them as files."""
    if not shutil.which("java"):
        cannot_run("there is no Java here (Debian: apt install default-jre-headless)")
    paths = list(pages)
    for number, path in enumerate(paths):
        (folder / f"{number}.html").write_text(pages[path])
    command = ["java", "-Xss8m", "-jar", str(JAR), "--format", "json", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True)
    _, begin, found = run.stderr.partition("{")  # after what the JVM says of JAVA_TOOL_OPTIONS
    assert begin, run.stderr + run.stdout
    return [
        f"{paths[int(Path(it['url']).stem)]}: {it['message']}: {it.get('extract', '')}"
        for it in json.loads(begin + found)["messages"]
    ]
