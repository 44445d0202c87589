"""What a delivered text stands for: a DuckDB macro gives a column's value, or NULL where there is none.

The macro says what is safe to repair. The rules hold text and value against each other, the roster's tables are made
from the values: both say the same thing because they call the same macro.
"""

import duckdb

from roster_pipelines.oneroster.shape import Column, Format, Table, Version

# A tab or a no-break space beside an id comes from a spreadsheet as easily as a blank.
_BLANKS = " \t\n\r\v\f\N{NO-BREAK SPACE}"
# Taking blanks off is slow, and hardly a text has any: one that begins and ends with a printable character has none.
_HELPERS = (
    rf"""CREATE TEMP MACRO tidy(v) AS
    if(v >= '!' AND v < '~' AND right(v, 1) >= '!' AND right(v, 1) < '~', v, nullif(trim(v, '{_BLANKS}'), ''));
"""
    + r"""
-- For what chr(31) stands, `rest.COMMA_IN_ITEM` says.
CREATE TEMP MACRO items(v) AS if(v IS NULL, [], list_filter(
    list_transform(string_split(v, ','), lambda i: tidy(replace(i, chr(31), ','))), lambda i: i IS NOT NULL));
-- What a spreadsheet makes of a long number, of a formula and of a column that is too narrow.
CREATE TEMP MACRO of_a_spreadsheet(v) AS coalesce((contains(v, '+') OR contains(v, '#')) AND
    regexp_full_match(v, '-?\d([.,]\d+)?[Ee]\+\d+|#(REF!|VALUE!|N/A|NAME\?|NUM!|NULL!|DIV/0!)|#{4,}'), false);
CREATE TEMP MACRO whole(v) AS CASE WHEN NOT of_a_spreadsheet(tidy(v)) THEN tidy(v) END;
CREATE TEMP MACRO true_or_false(v) AS CASE
    WHEN lower(tidy(v)) IN ('true', 't', 'yes', 'y', '1') THEN 'true'
    WHEN lower(tidy(v)) IN ('false', 'f', 'no', 'n', '0') THEN 'false' END;
CREATE TEMP MACRO moment(v) AS try_cast(tidy(v) AS TIMESTAMP WITH TIME ZONE);
CREATE TEMP MACRO four_digits(v) AS CASE WHEN regexp_full_match(tidy(v), '\d{4}') THEN tidy(v)::INTEGER END;
CREATE TEMP MACRO address(v) AS CASE WHEN regexp_full_match(tidy(v), '[^@\s]+@[^@\s]+\.[^@\s]+') THEN tidy(v) END;
CREATE TEMP MACRO american_part(v, n) AS
    try_cast(regexp_extract(v, '^(\d{1,2})/(\d{1,2})/\d{4}$', n) AS INTEGER);
-- 9/30/2026 can only be American; 9/8/2026 is what the rest of its column is.
CREATE TEMP MACRO day(v, american) AS CASE
    WHEN regexp_full_match(v, '\d{4}-\d{2}-\d{2}') THEN try_strptime(v, '%Y-%m-%d')
    WHEN regexp_full_match(v, '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*') THEN try_strptime(v[:10], '%Y-%m-%d')
    WHEN regexp_full_match(v, '(19|20)\d{6}') THEN try_strptime(v, '%Y%m%d')
    WHEN american OR american_part(v, 2) > 12 OR american_part(v, 1) = american_part(v, 2)
        THEN try_strptime(v, '%m/%d/%Y')
    END::DATE;
-- Items of other vocabularies stay as they are.
CREATE TEMP MACRO grade(v) AS CASE
    WHEN upper(v) IN ('K', 'KN', 'KDG') THEN 'KG' WHEN upper(v) IN ('PREK', 'PRE-K') THEN 'PK'
    WHEN regexp_full_match(v, '[1-9]') THEN '0' || v
    WHEN upper(v) IN ('IT', 'PR', 'PK', 'TK', 'KG', 'PS', 'UG') THEN upper(v)
    WHEN lower(v) = 'other' THEN 'Other' ELSE v END;
-- Seven digits for a district, twelve for a school; the first two are the state's FIPS code, in seven states with a
-- zero that spreadsheets and JSON numbers lose. Anything else is the district's own number.
CREATE TEMP MACRO nces_id(v, kind) AS CASE
    WHEN lower(tidy(kind)) NOT IN ('school', 'district') THEN NULL
    WHEN regexp_full_match(regexp_replace(v, '[ -]', '', 'g'),
                           if(lower(tidy(kind)) = 'school', '\d{12}', '\d{7}')) THEN regexp_replace(v, '[ -]', '', 'g')
    WHEN regexp_full_match(v, if(lower(tidy(kind)) = 'school', '[1245689]\d{10}', '[1245689]\d{5}')) THEN '0' || v END;
CREATE TEMP MACRO identifier(v, kind) AS coalesce(nces_id(tidy(v), kind), whole(v));
"""
)
_TEXT = "tidy(v)"
_OF_FORMAT: dict[Format, str] = {
    "boolean": "true_or_false",
    "datetime": "moment",
    "year": "four_digits",
    "email": "address",
    "nces_id": "identifier",
}
_OF_ITS_OWN = ("enumeration", "date", "grades")
"""Formats of which each column has a macro of its own; for all others one does, as making one takes its time."""


def define(con: duckdb.DuckDBPyConnection, tables: dict[str, Table], version: Version) -> None:
    """Define the macros for every stored column of these tables, in the version's vocabulary."""
    macros = [
        f"CREATE TEMP MACRO {macro(table, column)}(v) AS {_value(table, column, version)};"
        for table in tables.values()
        for column in table.columns
        if column.stored and column.format in _OF_ITS_OWN
    ]
    con.execute(_HELPERS + "\n".join(macros))


def macro(table: Table, column: Column) -> str:
    """Name the macro that gives a column's value."""
    if column.format in _OF_ITS_OWN:
        return f"value_of_{table.name}_{column.name}"
    return "items" if column.many else _OF_FORMAT.get(column.format, "whole")


def reads(column: Column) -> tuple[str, ...]:
    """Name the columns that the macro takes."""
    return (column.name, "type") if column.format == "nces_id" else (column.name,)


def find_american_dates(con: duckdb.DuckDBPyConnection, table: Table, version: Version) -> None:
    """Find out for each date column of a loaded table whether its dates are American; `day` depends on it.

    They are where one has a second part over 12, which can be no month, and none has a first part over 12.
    """
    for column in table.of(version):
        if column.format == "date":
            con.execute(
                f"""
                SET VARIABLE {_american(table, column)} = (
                    SELECT coalesce(max(american_part(v, 2)) > 12 AND max(american_part(v, 1)) <= 12, false)
                    FROM (SELECT tidy("{column.name}") AS v FROM raw."{table.name}" WHERE "{column.name}" LIKE '%/%'))
                """
            )


def typed(table: Table, column: Column, *, plain: bool) -> str:
    """Write the SQL that gives a column's value in the type of the roster's table.

    A text that is no value is NULL; a boolean: false, since whoever wrote "disabled" did not mean true.

    Args:
        table: The standard's table.
        column: The column.
        plain: Every text is written exactly as its value is, and lists have one item.
    """
    texts = [f'"{name}"' for name in reads(column)]
    if plain and column.many:
        return f"if({texts[0]} IS NULL, []::VARCHAR[], [{texts[0]}])"
    if plain:
        return {"boolean": f"{texts[0]} = 'true'"}.get(column.format, f"{texts[0]}::{duckdb_type(column)}")
    value = f"{macro(table, column)}({', '.join(texts)})"
    if column.format == "boolean":
        return f"if(tidy({texts[0]}) IS NOT NULL, coalesce({value} = 'true', false), NULL)"
    return value


def duckdb_type(column: Column) -> str:
    """Name the DuckDB type of a column's value."""
    if column.many:
        return "VARCHAR[]"
    return {
        "boolean": "BOOLEAN",
        "date": "DATE",
        "datetime": "TIMESTAMP WITH TIME ZONE",
        "year": "INTEGER",
    }.get(column.format, "VARCHAR")


def _american(table: Table, column: Column) -> str:
    return f"american_{table.name}_{column.name}"


def _value(table: Table, column: Column, version: Version) -> str:
    if column.format == "date":
        return f"day({_TEXT}, coalesce(getvariable('{_american(table, column)}'), false))"
    if not column.many:
        return _one_of(column, _TEXT, version)
    item = "grade(i)" if column.format == "grades" else _one_of(column, "i", version)
    return f"list_transform(items(v), lambda i: {item})"


def _one_of(column: Column, text: str, version: Version) -> str:
    cases = [f"WHEN '{value.lower()}' THEN '{value}'" for value in column.values]
    if column.name == "status":
        cases.append("WHEN 'inactive' THEN 'tobedeleted'")  # OneRoster 1.0's word for it
    # What an extension means only its sender knows, so it is of no use where the product needs the value.
    known = f"CASE lower({text}) {' '.join(cases)} END"
    if column.extensible and version == "1.2" and not column.needed:
        return f"coalesce({known}, CASE WHEN regexp_full_match({text}, 'ext:[A-Za-z0-9._-]+') THEN {text} END)"
    return known
