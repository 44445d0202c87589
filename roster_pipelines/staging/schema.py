"""The pandera schema of a table, and which of its rules fail. Only names of rules come out, never a value.

Every rule is one Ibis expression. They are evaluated when the first check asks: those of a table that look at one row
only in one query, as one by one each would read the table again; and of a column that is plain, none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandera.ibis as pa
from pandera.api.ibis.types import IbisData
from pandera.errors import SchemaErrorReason, SchemaErrors

from roster_pipelines.duck import one
from roster_pipelines.findings import Severity

Holds = Callable[[ir.Table], ir.BooleanValue]
"""From a table, a boolean per row, never NULL."""


@dataclass(frozen=True)
class RowRule:
    """One rule for the rows of one table.

    Attributes:
        rule: The rule's id, a key of `catalogue.RULES`.
        severity: `error` rejects the failing rows, the others keep them.
        column: The column it is about; blank where it is about the row.
        holds: Whether it holds, per row.
        refers_to: The table whose record is missing where the rule fails, so that the failure may come from there.
        refers_by: The column that names that record, if it is not `column`.
        alone: It looks at other rows or tables, so it is evaluated by itself: joins would slow the others down.
        quick: A cheaper expression that implies it, for one that is `alone`.
        of_earlier_rows: It is held against the rows of earlier deliveries too, which have no line.
    """

    rule: str
    severity: Severity
    column: str
    holds: Holds
    refers_to: str = ""
    refers_by: str = ""
    alone: bool = False
    quick: Holds | None = None
    of_earlier_rows: bool = False

    @property
    def name(self) -> str:
        """The name of the pandera check."""
        return f"{self.rule}:{self.column}"


LARGE = 50_000
"""From so many rows on a query's own work outweighs what it costs to ask."""
KEPT = 1000
"""Queries that a process keeps: Ibis takes longer to write most of them than DuckDB to answer."""


class Evaluation:
    """Which rules of a table hold; found out once, when the first is asked for.

    Args:
        con: Where the table is.
        rules: The rules.
        plain: By column, a cheap expression that implies all rules of the column that are not `alone`.
        size: How many rows the table has.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, rules: Sequence[RowRule], plain: Mapping[str, Holds], size: int
    ) -> None:
        self._con = con
        self._rules = rules
        self._size = size
        self._plain = plain
        self._broken: dict[str, int] = {}
        self.plain: frozenset[str] = frozenset()

    def holds(self, data: IbisData, rule: RowRule) -> ir.BooleanScalar:
        """Say whether a rule holds for every row; a pandera check."""
        if not self._broken:
            self._evaluate(data.table.unbind())
        return _Known(ibis.literal(self._broken[rule.name] == 0).op())

    def _evaluate(self, rows: ir.Table) -> None:
        odd = {column for column, count in self._count(rows, self._plain).items() if count}
        self.plain = frozenset(self._plain.keys() - odd)
        self._broken = dict.fromkeys((rule.name for rule in self._rules), 0)
        together = [rule for rule in self._rules if not rule.alone and rule.column not in self.plain]
        alone = [rule for rule in self._rules if rule.alone]
        quick = self._each(rows, {str(id(rule.quick)): rule.quick for rule in alone if rule.quick})
        alone = [rule for rule in alone if not rule.quick or quick[str(id(rule.quick))]]
        self._broken |= self._count(rows, {rule.name: rule.holds for rule in together})
        self._broken |= self._each(rows, {rule.name: rule.holds for rule in alone})

    def _each(self, rows: ir.Table, conditions: Mapping[str, Holds]) -> dict[str, int]:
        """Count each by itself in a large table, where several joins in one query would slow each other down."""
        if self._size < LARGE:
            return self._count(rows, conditions)
        return {name: self._count(rows, {name: holds})[name] for name, holds in conditions.items()}

    def _count(self, rows: ir.Table, conditions: Mapping[str, Holds]) -> dict[str, int]:
        """Count for each condition the rows for which it does not hold, in one query."""
        if not conditions:
            return {}
        counts = one(self._con, _counting(rows.op(), tuple(conditions.items())))
        return {name: count or 0 for name, count in zip(conditions, counts, strict=True)}


class _Known(ir.BooleanScalar):  # type: ignore[misc]  # Ibis has no types
    """A scalar whose value is known: pandera asks each check's for it, and a query for each would cost seconds."""

    def execute(self, **_: object) -> bool:
        return bool(self.op().value)


@lru_cache(KEPT)
def _counting(relation: ops.Relation, conditions: tuple[tuple[str, Holds], ...]) -> str:
    rows = relation.to_expr()
    counts = rows.aggregate(**{name: (~holds(rows)).sum() for name, holds in conditions})
    return str(ibis.to_sql(counts, dialect="duckdb", pretty=False))


def failing_rows(rule: RowRule, rows: ir.Table) -> str:
    """Write the SQL that gives a table's rows which fail a rule."""
    return _selecting(rows.unbind().op(), rule.holds)


@lru_cache(KEPT)
def _selecting(relation: ops.Relation, holds: Holds) -> str:
    rows = relation.to_expr()
    return str(ibis.to_sql(rows.filter(~holds(rows)), dialect="duckdb", pretty=False))


def schema(name: str, texts: Iterable[str], rules: Sequence[RowRule], evaluation: Evaluation) -> pa.DataFrameSchema:
    """Build the pandera schema: columns of nullable text, and every rule as a check.

    Args:
        name: The table's name.
        texts: The columns that must be there, as text.
        rules: The rules; their names are the checks' names.
        evaluation: Of these rules.
    """
    return pa.DataFrameSchema(
        name=name,
        columns={text: pa.Column(dt.String, nullable=True) for text in texts},
        checks=[pa.Check(partial(evaluation.holds, rule=rule), name=rule.name) for rule in rules],
    )


def failing(
    con: duckdb.DuckDBPyConnection,
    name: str,
    texts: Iterable[str],
    rules: Sequence[RowRule],
    rows: ir.Table,
    size: int,
    plain: Mapping[str, Holds] | None = None,
) -> tuple[list[RowRule], frozenset[str]]:
    """Validate a table in place.

    Args:
        con: Where it is.
        name: The table's name.
        texts: As in `schema`.
        rules: Its rules.
        rows: The table.
        size: How many rows it has; without any, nothing fails.
        plain: As in `Evaluation`.

    Returns:
        The rules that fail somewhere, and the columns that are plain.

    Raises:
        RuntimeError: A check could not be evaluated at all, which is a fault of ours.
    """
    if not size:
        return [], frozenset()
    evaluation = Evaluation(con, rules, plain or {}, size)
    failed: set[str] = set()
    try:
        schema(name, texts, rules, evaluation).validate(rows, lazy=True)
    except SchemaErrors as errors:
        for error in errors.schema_errors:
            if error.reason_code is not SchemaErrorReason.DATAFRAME_CHECK:
                raise RuntimeError(f"the schema of {name} could not be checked: {error.reason_code}") from None
            failed.add(error.check.name)
    return [rule for rule in rules if rule.name in failed], evaluation.plain
