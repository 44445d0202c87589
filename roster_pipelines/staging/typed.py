"""The accepted rows of a table, as a view: raw rows less the rejected ones, each value in its type or NULL."""

from roster_pipelines.oneroster.standard import Column, Table

# What the rules strip too (ibis's strip); DuckDB's trim alone takes other characters for blanks.
_BLANKS = " \t\n\r\v\f"


def duckdb_type(column: Column) -> str:
    """Name the DuckDB type of an accepted column."""
    if column.many:
        return "VARCHAR[]"
    return {
        "boolean": "BOOLEAN",
        "date": "DATE",
        "datetime": "TIMESTAMP WITH TIME ZONE",
        "year": "INTEGER",
    }.get(column.format, "VARCHAR")


def accepted_view(table: Table) -> str:
    """Write the view's SQL. A value that its column cannot hold is NULL (a boolean: false); a finding told of it."""
    values = ",\n    ".join(f'{_typed(column)} AS "{column.name}"' for column in table.columns if column.stored)
    return f"""
CREATE VIEW main."{table.name}" AS
SELECT _line,
    {values}
FROM raw."{table.name}" AS raw_row
WHERE NOT EXISTS (FROM rejected."{table.name}" AS r WHERE r._line = raw_row._line)
"""


def _typed(column: Column) -> str:
    name = f'"{column.name}"'
    text = _trimmed(name)
    if column.many:
        items = f"list_transform(string_split({name}, ','), lambda item: {_trimmed('item')})"
        return f"list_filter(coalesce({items}, []::VARCHAR[]), lambda item: item <> '')"
    match column.format:
        case "boolean":
            # Exporters write these for true. Anything else is false: whoever wrote "disabled" did not mean true.
            return f"CASE WHEN {text} <> '' THEN lower({text}) IN ('true', 't', 'yes', 'y', '1') END"
        case "enumeration":
            cases = " ".join(f"WHEN '{value.lower()}' THEN '{value}'" for value in column.values)
            return f"CASE lower({text}) {cases} END"
        case "date":
            return f"try_strptime({text}, '%Y-%m-%d')::DATE"
        case "datetime":
            return f"try_cast({text} AS TIMESTAMP WITH TIME ZONE)"
        case "year":
            return f"CASE WHEN regexp_full_match({text}, '\\d{{4}}') THEN {text}::INTEGER END"
        case "id" | "reference":
            return f"CASE WHEN {text} <> '' THEN {name} END"
        case _:
            return f"nullif({text}, '')"


def _trimmed(value: str) -> str:
    return f"trim({value}, '{_BLANKS}')"
