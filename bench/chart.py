"""The results as a bar chart, by chart.svg.j2."""

from pathlib import Path
from statistics import median

from jinja2 import Environment, FileSystemLoader

from .rounds import Cell
from .works import CONNECTIONS

HERE = Path(__file__).parent
CHARTED = {
    "auth-list": "list, auth",
    "auth-get": "get, auth",
    "auth-create": "create, auth",
    "list": "list",
    "get": "get",
    "create": "create",
}


def chart(cells: list[Cell]) -> str:
    """Return the requests a second of each contestant, on the fewest connections."""
    groups = [
        (CHARTED[cell.work], rates(cell))
        for cell in cells
        if cell.work in CHARTED and cell.connections == CONNECTIONS[0]
    ]
    top = max((rate for _, bars in groups for _, rate in bars), default=1)
    templates = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template("chart.svg.j2").render(groups=groups, top=top, connections=CONNECTIONS[0])


def rates(cell: Cell) -> list[tuple[str, float]]:
    """Return who took part, each with the median of its rounds."""
    return [(request.contestant, median(s.rate for s in samples)) for request, samples in cell.sides(0)]
