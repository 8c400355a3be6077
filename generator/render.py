"""A module as text: what the templates need to know of its fields, and the files that they make."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import code
from .code import column_arguments, quoted
from .field import Field
from .names import Names
from .samples import Samples

TEMPLATES = Path(__file__).parent / "templates"
ENVIRONMENT = Environment(  # noqa: S701 # it makes Python and templates, no pages
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    block_start_string="[%",
    block_end_string="%]",
    variable_start_string="<<",
    variable_end_string=">>",
    comment_start_string="[#",
    comment_end_string="#]",
)
RUFF = str(Path(sys.executable).parent / "ruff")
SETTINGS = (
    str(Path(__file__).parents[1] / "pyproject.toml"),
    'lint.isort.known-first-party=["app", "tests"]',  # the module is not where ruff would look
    "format.skip-magic-trailing-comma=true",
)
COLUMNS_MAX = 4  # of a list's page, beside what a record is called and when it was made


@dataclass
class Module:
    """A module: its names, its fields, and whether its records belong to users."""

    names: Names
    fields: list[Field]
    owned: bool = False

    def __getattr__(self, name: str) -> str:
        return str(getattr(self.names, name))

    @property
    def title(self) -> str:
        return self.names.text.capitalize()

    @property
    def Texts(self) -> str:  # noqa: N802 # with a capital letter, as the text has
        return self.names.texts.capitalize()

    @property
    def A(self) -> str:  # noqa: N802 # see Texts
        return self.names.a.capitalize()

    @property
    def references(self) -> list[Field]:
        return [f for f in self.fields if f.target]

    @property
    def owned_references(self) -> list[Field]:
        return [f for f in self.references if f.target and f.target.owned]

    @property
    def targets(self) -> list[Names]:
        """The modules that are referred to, each once."""
        return list(dict.fromkeys(f.target for f in self.fields if f.target))

    @property
    def owned_targets(self) -> list[Names]:
        return [target for target in self.targets if target.owned]

    @property
    def searched(self) -> list[Field]:
        return [f for f in self.fields if f.searched]

    @property
    def filters(self) -> list[Field]:
        """The fields that a list's page offers to filter by."""
        return [f for f in self.fields if f.type == "enum" or (f.type == "boolean" and f.indexed)]

    @property
    def label(self) -> Field | None:
        """The field that a record is called by."""
        return next((f for f in self.fields if f.type == "string" and f.required), None)

    @property
    def columns(self) -> list[Field]:
        """The fields that a list's page has columns for: the indexed ones first, and none that are long."""
        short = [f for f in self.fields if f != self.label and f.type not in ("text", "json")]
        chosen = sorted(short, key=lambda f: not f.indexed)[:COLUMNS_MAX]
        return [f for f in short if f in chosen]

    @property
    def sorted(self) -> list[Field]:
        return [f for f in self.fields if f.indexed]

    @property
    def controls(self) -> str:
        """The names of what a list's page offers to search by."""
        names = ["q"] if self.searched else []
        return json.dumps(names + [f.name for f in self.filters])

    @property
    def plain(self) -> list[Field]:
        return [f for f in self.fields if not f.target]

    @property
    def required(self) -> list[Field]:
        return [f for f in self.fields if f.required]

    @property
    def omissible(self) -> list[Field]:
        """The fields that need not be sent, but for those whose default is the present."""
        return [f for f in self.fields if not f.required and f.default not in ("now", "today")]

    @property
    def uniques(self) -> list[Field]:
        return [f for f in self.fields if f.unique]

    @property
    def uses_number(self) -> bool:
        """Whether the factory numbers its records."""
        return any(f.unique and not f.target for f in self.fields)

    @property
    def listed_references(self) -> list[Field]:
        return [f for f in self.columns if f.target]

    def column(self, field: Field) -> str:
        """Return the arguments of a column."""
        return ", ".join(column_arguments(field, self.owned))

    @property
    def indexes(self) -> list[str]:
        """The indexes, as the model has them."""
        return [
            f"Index(None, {', '.join(map(quoted, columns))}{', unique=True' if unique else ''})"
            for columns, unique in self.index_columns
        ]

    @property
    def index_columns(self) -> list[tuple[list[str], bool]]:
        """The columns of each index, in the order of the lists that it serves, and whether it is unique."""
        owner = ["owner_id"] if self.owned else []
        found = [([*owner, "id"], False)] if self.owned else []
        for f in self.fields:
            if f.unique and self.owned:
                found.append(([*owner, f.column], True))
            if f.target and (self.owned or not f.unique):
                found.append(([f.column, *owner, "id"], False))
            elif f.indexed and not f.unique:
                found.append(([*owner, f.column, "id"], False))
        return found

    @property
    def names_in_database(self) -> list[str]:
        """What constraints and indexes are called, by the naming convention of the app's extensions.py."""
        table = self.names.many
        names = [f"ix_{table}_{'_'.join(columns)}" for columns, _ in self.index_columns]
        names += [f"ck_{table}_{f.name}_length" for f in self.fields]
        names += [f"uq_{table}_{f.column}" for f in self.uniques]
        return names + [f"fk_{table}_{f.column}_{f.target.many}" for f in self.fields if f.target]

    def relationship(self, field: Field) -> str:
        """Return the arguments of a relationship, which is seen from its other side, too."""
        alone = [f.target for f in self.references].count(field.target) == 1
        back = self.names.many if alone else f"{self.names.many}_as_{field.name}"
        # The database refuses to delete what is referred to; SQLAlchemy would set the references to null.
        other_side = f'backref=backref({quoted(back)}, passive_deletes="all")'
        return other_side if alone else f"foreign_keys=[{field.column}], {other_side}"

    @property
    def validated(self) -> list[Field]:
        """The fields whose columns do not say all that is to be checked."""
        return [f for f in self.fields if f.type in ("text", "enum") or (f.type == "string" and f.shortest)]

    @cached_property
    def samples(self) -> Samples:
        return Samples(self.fields)

    def files(self) -> dict[str, str]:
        """Return the text of each file by its path in the checkout; `tidy` makes it as it is written."""
        package, tests = f"web/app/{self.names.many}", f"tests/unit/app/{self.names.many}"
        pages = ("index", "show", "form", "delete")
        templates = {
            f"{package}/{name}.py": f"{name}.py.j2"
            for name in ("__init__", "models", "schemas", "api", "pages")
        }
        templates |= {
            f"{package}/templates/{self.names.many}/{name}.html": f"html/{name}.html.j2" for name in pages
        }
        templates |= {
            f"{tests}/{name}.py": f"tests/{name}.py.j2" for name in ("conftest", "test_api", "test_pages")
        }
        return {path: self.render(template) for path, template in templates.items()}

    def render(self, template: str) -> str:
        """Return what `template` makes of the module."""
        return ENVIRONMENT.get_template(template).render(m=self, code=code)


def tidy(files: dict[str, str]) -> dict[str, str]:
    """Return `files` with Python as `make format` leaves it, without the imports that are not needed."""
    with TemporaryDirectory() as folder:
        for path, text in files.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(text)
        for command in (["check", "--fix-only", "--select", "F401,I,UP"], ["format"]):
            settings = [word for setting in SETTINGS for word in ("--config", setting)]
            subprocess.run([RUFF, *command, "--quiet", *settings, folder], check=True)  # noqa: S603 # ruff
        return {path: (Path(folder) / path).read_text() for path in files}
