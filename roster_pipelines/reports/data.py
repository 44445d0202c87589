"""What staging found, as plain data for programs."""

from typing import Any

from roster_pipelines.findings import SEVERITIES, Finding, FindingCount
from roster_pipelines.reports.places import masked
from roster_pipelines.staging.summary import Summary


def as_json(summary: Summary) -> dict[str, Any]:
    """Write a summary as data that JSON knows.

    Args:
        summary: What staging found.

    Returns:
        Verdict, version, rows by table and the listed findings by severity, file and line; whether more was found than
        is listed; then what to fix, in order, and the true counts. An id that looks like a person's is masked.
    """
    return {
        "verdict": summary.verdict,
        "oneroster_version": summary.version,
        "tables": {
            name: {"read": counts.read, "accepted": counts.accepted, "rejected": counts.rejected}
            for name, counts in summary.tables.items()
        },
        "findings": [_finding(f) for f in sorted(summary.listed, key=_order)],
        "truncated": summary.truncated,
        "causes": [_count(count) for count in summary.causes],
        "counts": [_count(count) for count in summary.findings],
    }


def _order(finding: Finding) -> tuple[int, str, int, str, str]:
    severity = SEVERITIES.index(finding.severity)
    return severity, finding.file, finding.line or 0, finding.column, finding.rule


def _finding(finding: Finding) -> dict[str, Any]:
    cause = finding.caused_by
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "sourced_id": masked(finding.sourced_id),
        "message": finding.message,
        "remedy": finding.remedy,
        "caused_by": cause and {"rule": cause.rule, "file": cause.file, "line": cause.line},
    }


def _count(count: FindingCount) -> dict[str, Any]:
    return {
        "rule": count.rule,
        "severity": count.severity,
        "file": count.file,
        "column": count.column,
        "count": count.count,
        "derived": count.derived,
        "reach": count.reach,
        "lines": list(count.lines),
        "message": count.message,
        "remedy": count.remedy,
    }
