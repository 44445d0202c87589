"""The accepted rows of a table, as a view: raw rows less the rejected ones, each value in its type or NULL."""

from roster_pipelines.oneroster.standard import Column, Table


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
    if column.many:
        items = f"list_transform(string_split({name}, ','), lambda item: trim(item))"
        return f"list_filter(coalesce({items}, []::VARCHAR[]), lambda item: item <> '')"
    match column.format:
        case "boolean":
            # Anything else is read as false: whoever wrote "disabled" did not mean true.
            return f"CASE WHEN trim({name}) <> '' THEN lower(trim({name})) = 'true' END"
        case "enumeration":
            cases = " ".join(f"WHEN '{value.lower()}' THEN '{value}'" for value in column.values)
            return f"CASE lower(trim({name})) {cases} END"
        case "date":
            return f"try_strptime(trim({name}), '%Y-%m-%d')::DATE"
        case "datetime":
            return f"try_cast(trim({name}) AS TIMESTAMP WITH TIME ZONE)"
        case "year":
            return f"CASE WHEN regexp_full_match(trim({name}), '\\d{{4}}') THEN trim({name})::INTEGER END"
        case "id" | "reference":
            return f"CASE WHEN trim({name}) <> '' THEN {name} END"
        case _:
            return f"nullif(trim({name}), '')"
