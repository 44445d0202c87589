"""The header of a delivered file: which separator, which column stands where, and what is wrong with it."""

from collections import Counter
from dataclasses import dataclass

from roster_pipelines.findings import Finding, Severity
from roster_pipelines.oneroster.shape import Table, Version
from roster_pipelines.staging.lines import End, fields

SEPARATORS = (",", ";", "\t", "|")
"""The standard's first; the others are what exporters and spreadsheets write."""

MOST_COLUMNS = 500
"""More columns than any file has with its extensions; DuckDB's memory grows with them."""

_INVISIBLE = "\ufeff\u200b \t\u00a0"


@dataclass(frozen=True)
class Header:
    """What a file's first line says.

    Attributes:
        readable: Whether rows can be taken by it.
        separator: What stands between values.
        names: For each delivered column the standard's name, blank where it is none of the standard's.
        absent: The standard's columns that the file lacks, or has twice, so that nothing is read from them.
        findings: What is wrong with it, each at line 1.
    """

    readable: bool
    separator: str
    names: tuple[str, ...]
    absent: frozenset[str]
    findings: tuple[Finding, ...]


def match_header(line: str, table: Table, version: Version, *, can_refuse: bool = True) -> Header:
    """Give each delivered column its standard name.

    Rules: csv-rules section 3 of the CSV binding: names are case-sensitive, unique and in the standard's order; only
    metadata columns may be added, to the right.

    Args:
        line: The file's first line, without its end and without a byte order mark.
        table: The standard's table.
        version: Which version's columns are known.
        can_refuse: Whether what is wrong may refuse the delivery; otherwise it is a warning, and no row is taken.

    Returns:
        The header. An unknown column is told by its place: where a header was cut or lost, what stands there is a
        value of a person.
    """
    by_case = {column.name.lower(): column.name for column in table.of(version)}
    separator, delivered = ",", list[str]()
    names: tuple[str, ...] = ()
    for candidate in SEPARATORS:
        cells = _cells(line, candidate)
        matched = tuple(by_case.get(cell.strip(_INVISIBLE).lower(), "") for cell in cells)
        if sum(map(bool, matched)) > sum(map(bool, names)):
            separator, delivered, names = candidate, cells, matched
    worst: Severity = "fatal" if can_refuse else "warning"
    # One name alone may be chance, in a row of data.
    if sum(map(bool, names)) < 2 or len(names) > MOST_COLUMNS:
        every = frozenset(by_case.values())
        return Header(False, ",", (), every, (Finding("header-missing", worst, table.file, line=1),))
    lacking, absent = _lacking(names, table, version, worst)
    if separator != ",":
        lacking.insert(0, Finding("separator", "warning", table.file, line=1))
    needed = {column.name for column in table.of(version) if column.required}
    return Header(
        can_refuse or not absent & needed,
        separator,
        names,
        absent,
        (*lacking, *_unusual(delivered, names, absent, table, version)),
    )


def _cells(line: str, separator: str) -> list[str]:
    values, end = fields(line.encode(), separator.encode())
    return [value.decode() for value in values] if end is End.WHOLE else []


def _lacking(
    names: tuple[str, ...], table: Table, version: Version, worst: Severity
) -> tuple[list[Finding], frozenset[str]]:
    """Find the columns from which nothing can be read: what is not there, and what is there twice."""
    times = Counter(names)
    findings: list[Finding] = []
    for column in table.of(version):
        severity: Severity = worst if column.required else "warning"
        if times[column.name] > 1:
            findings.append(Finding("column-doubled", severity, table.file, line=1, column=column.name))
        elif not times[column.name] and not column.first_release_only:
            rule = "column-missing" if column.required else "column-absent"
            findings.append(Finding(rule, severity, table.file, line=1, column=column.name))
    return findings, frozenset(column.name for column in table.of(version) if times[column.name] != 1)


def _unusual(
    delivered: list[str], names: tuple[str, ...], absent: frozenset[str], table: Table, version: Version
) -> list[Finding]:
    """Find what was understood although the standard has it otherwise."""
    order = {column.name: place for place, column in enumerate(table.of(version))}
    findings: list[Finding] = []
    # Where the columns stand in the standard's order, metadata last; an unknown or doubled one has no place there.
    places: list[int] = []
    for number, (cell, name) in enumerate(zip(delivered, names, strict=True), start=1):
        if name and name not in absent:
            places.append(order[name])
            if cell != name:
                findings.append(Finding("column-case", "warning", table.file, line=1, column=name))
        elif cell.startswith("metadata."):
            places.append(len(order))
        elif not name:
            findings.append(Finding("column-unknown", "warning", table.file, line=1, column=f"column {number}"))
    if places != sorted(places):
        findings.append(Finding("column-order", "warning", table.file, line=1))
    return findings
