"""Tables in an asset's metadata."""

from collections.abc import Iterable, Sequence

import dagster as dg


def table(schema: dg.TableSchema, rows: Iterable[Sequence[str | int | None]]) -> dg.MetadataValue:
    """Make a table of rows whose cells are in the order of the schema's columns; what is NULL is shown as blank."""
    names = [column.name for column in schema.columns]
    return dg.MetadataValue.table(
        [dg.TableRecord(dict(zip(names, ("" if cell is None else cell for cell in row), strict=True))) for row in rows],
        schema=schema,
    )
