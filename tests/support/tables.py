"""What stands in a table of `inspect`: the meaning of each field, and what is marked as illegal."""

from wslab import inspect
from wslab.display.table import Table


def meanings(data: bytes, **options: object) -> dict[str, str]:
    """The last column by the name of the field."""
    table = inspect(data, **options)
    return {row[-3]: row[-1] for row in table.rows}


def faults(table: Table) -> list[tuple[str, str]]:
    """The field and the sentence of each row that is marked as illegal."""
    marked = [(row[-3], row[-1]) for number, row in enumerate(table.rows) if number in table.faulty]
    assert [row[-1] for row in table.rows if row[-1].startswith("illegal: ")] == [sentence for _, sentence in marked]
    return [(name, sentence.removeprefix("illegal: ")) for name, sentence in marked]
