"""Asset checks: what staging found, as check results that belong to a district's partition."""

import warnings
from collections.abc import Iterator

import dagster as dg

from roster_pipelines.findings import FindingCount
from roster_pipelines.oneroster.shape import Table
from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.partitions import districts
from roster_pipelines.staging.summary import Summary

SCHEMA = "schema"
ROWS_ADD_UP = "rows_add_up"


def specs(table: Table) -> list[dg.AssetCheckSpec]:
    """Declare the two checks of a validated table."""
    with warnings.catch_warnings():
        # Checks with partitions are a preview in Dagster 1.13. Without them, one district's result would
        # overwrite another's. This is their only use.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                SCHEMA,
                asset=key(table),
                partitions_def=districts,
                description=f"pandera: every row of {table.name} keeps the rules; those that do not are set apart.",
            ),
            dg.AssetCheckSpec(
                ROWS_ADD_UP,
                asset=key(table),
                partitions_def=districts,
                description=f"Rows counted in {', '.join(_read_into(table))} without parsing = accepted + rejected.",
            ),
        ]


def key(table: Table) -> dg.AssetKey:
    """Name the asset of a validated table."""
    return dg.AssetKey(["validated", table.name])


def results(table: Table, summary: Summary) -> Iterator[dg.AssetCheckResult]:
    """Report what staging found about one table, in counts.

    Args:
        table: A table of the roster; what is read into it are one file of 1.1 and several of 1.2.
        summary: What staging found.

    Yields:
        `schema`, failed where a row was rejected or the delivery refused; `rows_add_up`.
    """
    found = summary.of(table)
    serious = {finding.severity for finding in found} & {"fatal", "error"}
    yield dg.AssetCheckResult(
        asset_key=key(table),
        check_name=SCHEMA,
        passed=not serious,
        severity=dg.AssetCheckSeverity.ERROR if "fatal" in serious else dg.AssetCheckSeverity.WARN,
        description=_describe(found),
        metadata={"findings": _findings_table(found)},
    )
    files = [summary.tables[name] for name in _read_into(table) if name in summary.tables]
    yield dg.AssetCheckResult(
        asset_key=key(table),
        check_name=ROWS_ADD_UP,
        passed=all(counts.add_up for counts in files),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={what: sum(getattr(counts, what) for counts in files) for what in ("read", "accepted", "rejected")},
    )


def _read_into(table: Table) -> list[str]:
    return [other.name for other in TABLES.values() if other.into == table.name]


def _findings_table(found: tuple[FindingCount, ...]) -> dg.MetadataValue:
    """Show counts of findings as a table: rules, files, columns and numbers, never a value."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "rule": finding.rule,
                    "severity": finding.severity,
                    "file": finding.file,
                    "column": finding.column,
                    "rows": finding.count,
                    "remedy": finding.remedy,
                }
            )
            for finding in found
        ],
        schema=dg.TableSchema(
            [
                dg.TableColumn("rule"),
                dg.TableColumn("severity"),
                dg.TableColumn("file"),
                dg.TableColumn("column"),
                dg.TableColumn("rows", "int"),
                dg.TableColumn("remedy"),
            ]
        ),
    )


def _describe(found: tuple[FindingCount, ...]) -> str:
    if not found:
        return "Nothing to report."
    return "; ".join(
        f"{finding.severity}: {finding.where}: {finding.message} ({finding.count})" for finding in found[:3]
    )
