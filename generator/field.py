"""A field of a module, as FIELDS describes it."""

from dataclasses import dataclass

from .names import Names, title

STRING_MAX, TEXT_MAX = 200, 50_000  # characters, where nothing else is said


@dataclass(frozen=True)
class Field:
    """A field of a module."""

    name: str
    type: str
    arguments: tuple[str, ...] = ()
    optional: bool = False
    marks: frozenset[str] = frozenset()
    default: str | None = None
    target: Names | None = None  # of references

    @property
    def column(self) -> str:
        """The column's name: author_id of references."""
        return f"{self.name}_id" if self.target else self.name

    @property
    def label(self) -> str:
        return title(self.name)

    @property
    def required(self) -> bool:
        """Whether a new record must have it."""
        return not self.optional and self.default is None

    @property
    def unique(self) -> bool:
        return "unique" in self.marks

    @property
    def searched(self) -> bool:
        return "search" in self.marks

    @property
    def indexed(self) -> bool:
        """Whether lists are sorted and filtered by it."""
        return bool(self.marks & {"index", "unique"}) or self.type in ("enum", "references")

    @property
    def length(self) -> int:
        """The greatest number of characters."""
        return int(self.arguments[0]) if self.arguments else TEXT_MAX if self.type == "text" else STRING_MAX

    @property
    def shortest(self) -> int:
        """The least number of characters: none at all is null, or the default."""
        return 0 if self.default is not None else 1

    @property
    def digits(self) -> tuple[int, int]:
        """Precision and scale of a decimal."""
        precision, scale = map(int, self.arguments or ("10", "2"))
        return precision, scale
