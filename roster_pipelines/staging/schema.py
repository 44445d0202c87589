"""The pandera schema of a table, and which of its rules fail. Only names of rules come out, never a value."""

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandera.ibis as pa
from pandera.errors import SchemaErrorReason, SchemaErrors

from roster_pipelines.oneroster.standard import Table
from roster_pipelines.staging.rules import RowRule


def schema(table: Table, rules: list[RowRule]) -> pa.DataFrameSchema:
    """Build the pandera schema: the stored columns as nullable text, and every rule as a check.

    One failure case per check is kept: pandera collects them all otherwise, which took 29 s and 3.5 GB where a rule
    failed on each of 7 million rows, and a failure case holds a whole row of a person.
    """
    return pa.DataFrameSchema(
        name=table.name,
        columns={c.name: pa.Column(dt.String, nullable=True) for c in table.columns if c.stored},
        checks=[
            pa.Check(lambda data, holds=rule.holds: holds(data.table), name=rule.name, n_failure_cases=1)
            for rule in rules
        ],
    )


def failing(table: Table, rules: list[RowRule], rows: ir.Table) -> list[RowRule]:
    """Validate a raw table in place.

    Args:
        table: The standard's table.
        rules: Its rules.
        rows: The raw rows.

    Returns:
        The rules that fail somewhere.

    Raises:
        RuntimeError: A check could not be evaluated at all, which is a fault of ours.
    """
    try:
        schema(table, rules).validate(rows, lazy=True)
    except SchemaErrors as errors:
        failed: set[str] = set()
        for error in errors.schema_errors:
            if error.reason_code is not SchemaErrorReason.DATAFRAME_CHECK:
                raise RuntimeError(f"the schema of {table.name} could not be checked: {error.reason_code}") from None
            failed.add(error.check.name)
        return [rule for rule in rules if rule.name in failed]
    return []
