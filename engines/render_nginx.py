"""Renders nginx/ into a folder, as the official image does when it starts.

usage: python engines/render_nginx.py FOLDER
The variables ${NGINX_…} of the templates come from the environment; NGINX_TEMP stands in for /tmp too.
"""

import os
import re
import shutil
import sys
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "nginx"


def render(template: str) -> str:
    """Return `template` with each ${NGINX_…} replaced by that variable of the environment (KeyError)."""
    return re.sub(r"\$\{(NGINX_[A-Z_]+)\}", lambda match: os.environ[match[1]], template)


def main(folder: Path) -> None:
    """Write nginx.conf, snippets/ and the rendered conf.d/ into `folder`."""
    (folder / "conf.d").mkdir(parents=True, exist_ok=True)
    main_file = (SOURCE / "nginx.conf").read_text().replace("/tmp/", os.environ["NGINX_TEMP"] + "/")  # noqa: S108 # a text
    (folder / "nginx.conf").write_text(main_file)
    shutil.copytree(SOURCE / "snippets", folder / "snippets", dirs_exist_ok=True)
    for template in (SOURCE / "templates").glob("*.template"):
        (folder / "conf.d" / template.stem).write_text(render(template.read_text()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
