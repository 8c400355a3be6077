from sqlalchemy import Column, Index, Integer, MetaData, Table, UniqueConstraint, text

from slipway.api.list_arguments import indexed


def table(*rules: Index | UniqueConstraint) -> Table:
    """Return a table with `rules`."""
    columns = [Column(name, Integer) for name in ("id", "owner_id", "a", "b", "c")]
    return Table("things", MetaData(), *columns, *rules)


def test_list_is_filtered_by_what_an_index_begins_with() -> None:
    assert indexed(table(Index("x", "b", "id"), Index("y", "a", "c"), UniqueConstraint("c", "a"))) == [
        "a",
        "b",
        "c",
    ]


def test_owner_in_front_is_left_out() -> None:
    assert indexed(table(Index("x", "owner_id", "b", "id"), Index("y", "owner_id", "id"))) == ["id", "b"]


def test_index_of_some_records_or_of_another_kind_does_not_count() -> None:
    some = Index("x", "a", postgresql_where=text("b > 0"))
    assert indexed(table(some, Index("y", "b", postgresql_using="gin"), Index("z", text("lower(c)")))) == []
