"""The report of one delivery, as Markdown: for the district's administrator, and for the terminal."""

from roster_pipelines.findings import RULES, FindingCount
from roster_pipelines.staging.summary import Summary, Verdict

_VERDICTS: dict[Verdict, str] = {
    "accepted": "Accepted. There is nothing to do.",
    "accepted_with_findings": "Accepted, with findings. Rows without an error are in use.",
    "refused": "Refused. The last good delivery stays in use.",
}


def markdown(title: str, summary: Summary) -> str:
    """Write a delivery's report.

    Args:
        title: What was checked.
        summary: What staging found.

    Returns:
        Markdown: the verdict, rows per file, and every finding with its first lines and what to do.
    """
    lines = [
        f"# {title}",
        "",
        _VERDICTS[summary.verdict],
        "",
        "| file | read | accepted | rejected |",
        "|---|--:|--:|--:|",
    ]
    lines += [
        f"| {name}.csv | {counts.read:,} | {counts.accepted:,} | {counts.rejected:,} |"
        for name, counts in summary.tables.items()
    ]
    for severity, heading in (
        ("fatal", "Why it is refused"),
        ("error", "Rows that were rejected"),
        ("warning", "Worth mending"),
        ("info", "For information"),
    ):
        found = [finding for finding in summary.findings if finding.severity == severity]
        if found:
            lines += ["", f"## {heading}", "", *(f"- {_sentence(finding)}" for finding in found)]
    return "\n".join(lines) + "\n"


def _sentence(finding: FindingCount) -> str:
    what, remedy = RULES[finding.rule]
    where = f"`{finding.file}`" + (f", `{finding.column}`" if finding.column else "")
    if finding.lines and finding.lines != (1,):
        more = ", ..." if finding.count > len(finding.lines) else ""
        where += f", line{'s' if finding.count > 1 else ''} {', '.join(map(str, finding.lines))}{more}"
        where += f" ({finding.count:,} rows)" if finding.count > 1 else ""
    return f"{where}: {what}. To do: {remedy}."
