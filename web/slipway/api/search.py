"""Search: records that have words beginning so, by a full-text index.

https://www.postgresql.org/docs/current/textsearch-indexes.html
"""

from typing import Any

from sqlalchemy import ColumnElement, Index, Table, func, text
from sqlalchemy.orm import InstrumentedAttribute

SIMPLE = text("'simple'")  # words as they are written, of whatever language
SEARCH = "search"  # in the info of an index


def search_index(*columns: InstrumentedAttribute[Any]) -> Index:
    """Add the index that `q` of a list needs to the table of `columns`, whose words are searched.

    Full text, as that serves short queries: trigrams want three letters.
    """
    table: Table = columns[0].class_.__table__
    texts: list[ColumnElement[Any]] = [func.coalesce(table.c[column.key], "") for column in columns]
    document = texts[0]
    for more in texts[1:]:
        document = document.concat(" ").concat(more)
    return Index(
        f"ix_{table.name}_{SEARCH}",
        func.to_tsvector(SIMPLE, document),
        postgresql_using="gin",
        info={SEARCH: True},
    )


def search_of(table: Table) -> ColumnElement[Any] | None:
    """Return the document that `search_index` has made of each record of `table`."""
    for index in table.indexes:
        if index.info.get(SEARCH):
            document: ColumnElement[Any] = index.expressions[0]  # type: ignore[assignment] # an expression, not a name
            return document
    return None


def matches(document: ColumnElement[Any], query: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that `document` has the words of `query`."""
    return document.bool_op("@@")(func.to_tsquery(SIMPLE, query))


def beginnings(words: str) -> str:
    """Return the query for a word that begins so for each of `words`."""
    quoted = ("'" + word.replace("\\", "\\\\").replace("'", "''") + "':*" for word in words.split())
    return " & ".join(quoted)
