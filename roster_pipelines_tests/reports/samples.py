"""Summaries made by hand: what staging would have found of a district's delivery."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from roster_pipelines.findings import SEVERITIES, Cause, Finding, FindingCount
from roster_pipelines.oneroster.standard import tables
from roster_pipelines.staging.summary import Summary, TableCounts, Verdict

AT = datetime(2026, 11, 24, 8, 5, tzinfo=UTC)
HOSTILE = '<img src="x" onerror=alert(1)>[red]\x1b]0;owned\x07\N{RIGHT-TO-LEFT OVERRIDE}.csv'
PEOPLE = ("ada.acorn@maple-valley.example", "Ada Acorn", "ada.acorn", "ada_acorn12", "adaacorn")
"""Ids that are a person's address, name or login name."""


def summary_of(
    findings: Sequence[Finding],
    *,
    counts: Mapping[str, TableCounts] | None = None,
    more: Mapping[str, int] | None = None,
    reach: Mapping[str, int] | None = None,
) -> Summary:
    """Sum findings up as staging does.

    Args:
        findings: What is listed.
        counts: Rows by table name; the others have none.
        more: By rule, how many were found beyond those listed, like the first of them.
        reach: By rule, how many findings elsewhere come from it.
    """
    kinds: defaultdict[tuple[str, str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        kinds[finding.rule, finding.severity, finding.file, finding.column].append(finding)
    found = [
        FindingCount(
            kind[0].rule,
            kind[0].severity,
            kind[0].file,
            kind[0].column,
            len(kind) + unlisted,
            sum(f.caused_by is not None for f in kind) + unlisted * (kind[0].caused_by is not None),
            (reach or {}).get(kind[0].rule, 0),
            tuple(f.line for f in kind if f.line is not None)[:5],
        )
        for kind in kinds.values()
        for unlisted in [(more or {}).get(kind[0].rule, 0)]
    ]
    found.sort(key=lambda f: (SEVERITIES.index(f.severity), -f.count, f.rule, f.file, f.column))
    severities = {f.severity for f in found}
    verdict: Verdict = "accepted_with_findings" if severities - {"info"} else "accepted"
    return Summary(
        "refused" if "fatal" in severities else verdict,
        "1.1",
        {name: (counts or {}).get(name, TableCounts()) for name in tables("1.1")},
        tuple(found),
        tuple(findings),
    )


def clean() -> Summary:
    """A delivery of which nothing was found."""
    return summary_of([], counts={"users": TableCounts(1200, 1200, 0, 1200, 1000), "orgs": TableCounts(5, 5, 0, 5, 5)})


def mixed() -> Summary:
    """A delivery with a cause that reaches far, with what comes from it, and with something of everything else."""
    org = Cause("value-missing", "orgs.csv", 4)
    return summary_of(
        [
            Finding("value-unknown", "error", "users.csv", 7, "role", "usr-000007"),
            Finding("value-missing", "error", "orgs.csv", 4, "sourcedId"),
            *(
                Finding("reference-nowhere", "error", "classes.csv", line, "schoolSourcedId", f"cls-{line}", org)
                for line in range(2, 102)
            ),
            *(Finding("grade-form", "warning", "users.csv", line, "grades", f"usr-{line}") for line in range(2, 32)),
            *(Finding("email-doubled", "warning", "users.csv", n, "email", id_) for n, id_ in enumerate(PEOPLE, 40)),
            Finding("column-order", "warning", "classes.csv", 1),
            Finding("file-unknown", "warning", HOSTILE),
            Finding("file-never-stored", "info", "demographics.csv"),
        ],
        counts={
            "orgs": TableCounts(5, 4, 1, 4, 5),
            "users": TableCounts(1200, 1199, 1, 1199, 1000),
            "classes": TableCounts(250, 100, 150, 100, 250),
        },
        more={"reference-nowhere": 50},
        reach={"value-missing": 150},
    )


def pulled() -> Summary:
    """The same through an API."""
    of = mixed()

    def name(finding: Finding) -> Finding:
        cause = finding.caused_by and replace(finding.caused_by, file=finding.caused_by.file.removesuffix(".csv"))
        return replace(finding, file=finding.file.removesuffix(".csv"), caused_by=cause)

    ours = ("file-unknown", "file-never-stored", "column-order")
    return replace(
        of,
        api=True,
        findings=tuple(replace(f, file=f.file.removesuffix(".csv")) for f in of.findings if f.rule not in ours),
        listed=tuple(name(finding) for finding in of.listed if finding.rule not in ours),
    )


def warned() -> Summary:
    """A delivery that is worth a warning only."""
    return summary_of([Finding("grade-form", "warning", "users.csv", 9, "grades", "usr-1")])


def refused() -> Summary:
    """A delivery that lacks a file."""
    return summary_of(
        [
            Finding("grade-form", "warning", "users.csv", 9, "grades", "usr-1"),
            Finding("file-missing", "fatal", "enrollments.csv"),
        ],
        counts={"users": TableCounts(1200, 1200, 0, 0, 1000)},
    )
