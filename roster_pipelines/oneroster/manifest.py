"""The manifest of a OneRoster CSV delivery: which version, and in which mode each file comes.

Facts: section 2 of the CSV bindings. The order of the properties does not matter; a manifest is read as far as it can
be, and whatever is odd about it is a finding with its line.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from roster_pipelines.findings import Finding, Severity
from roster_pipelines.oneroster.shape import Version
from roster_pipelines.oneroster.standard import KNOWN_FILES, tables
from roster_pipelines.oneroster.templates import data_files

Mode = Literal["absent", "bulk", "delta"]

FILE = "manifest.csv"
HEADER = ("propertyName", "value")
READ_BYTES = 64 * 1024
"""What is read of a manifest: seventy times what one of 1.2 needs."""
UNKNOWN_NAMED = 100
"""Properties that are none of the standard's and are still named; more of them are only counted."""

_OWN = ("manifest.version", "oneroster.version")
_OPTIONAL = ("source.systemName", "source.systemCode")
_FILES = tuple(f"file.{name.removesuffix('.csv')}" for name in KNOWN_FILES.values() if name != FILE)
_PROPERTIES = {name.lower(): name for name in (*_OWN, *_FILES, *_OPTIONAL)}
_MODES: dict[str, Mode] = {mode: mode for mode in get_args(Mode)}
# What may be shown of a name that is none of the standard's.
_PLAIN = re.compile(r"[A-Za-z.]{1,60}")


@dataclass(frozen=True)
class Manifest:
    """What `manifest.csv` declares.

    Attributes:
        version: The version that the delivery is read as: 1.1 where the manifest names none that is known.
        modes: Mode by table name, for every `file.<name>` property of that version with a legal value.
        findings: What is wrong with it, each with its line; the property is the column.
    """

    version: Version
    modes: dict[str, Mode]
    findings: tuple[Finding, ...] = ()


NO_MANIFEST = Manifest("1.1", {}, (Finding("manifest-missing", "warning", FILE),))
"""Without a manifest, what is there is read as OneRoster 1.1 in bulk."""


class _Row(NamedTuple):
    line: int
    name: str
    value: str


def properties(version: Version) -> tuple[str, ...]:
    """The properties that a manifest of a version must have: its own two, then one for each data file."""
    return (*_OWN, *(f"file.{name}" for name in data_files(version)))


def parse(content: bytes) -> Manifest:
    """Read a manifest.

    Args:
        content: The file as it was delivered: UTF-8, or what a spreadsheet has made of it.

    Returns:
        What it declares. Any bytes give a manifest; where not one property is known, it has a fatal finding and no
        other.
    """
    text, of_text = _decoded(content[:READ_BYTES])
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    separator = max(",;\t", key=lambda sign: sum(row.name.lower() in _PROPERTIES for row in _rows(lines, sign)))
    rows = list(_rows(lines, separator))
    if not any(row.name.lower() in _PROPERTIES for row in rows):
        return Manifest("1.1", {}, (_found("manifest-unreadable", "fatal"),))
    if separator != ",":
        of_text.append(_found("separator"))
    of_header = list(_of_header(rows[0]))
    known, of_names = _known(rows[1:] if rows[0].name.lower() not in _PROPERTIES else rows)
    version, of_version = _version(known)
    modes, of_modes = ({}, []) if version is None else _modes(known, version)
    return Manifest(version or "1.1", modes, (*of_text, *of_header, *of_names, *of_version, *of_modes))


def _found(rule: str, severity: Severity = "warning", line: int | None = None, column: str = "") -> Finding:
    return Finding(rule, severity, FILE, line, column)


def _decoded(content: bytes) -> tuple[str, list[Finding]]:
    even, odd = content[::2].count(0), content[1::2].count(0)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace"), [_found("encoding-utf-16")]
    if 4 * (even + odd) > len(content):
        return content.decode("utf-16-le" if odd > even else "utf-16-be", "replace"), [_found("encoding-utf-16")]
    findings = [_found("nul-bytes")] if even + odd else []
    content = content.replace(b"\0", b"")
    try:
        # By pieces, as the cut at READ_BYTES may go through a character.
        return codecs.getincrementaldecoder("utf-8-sig")().decode(content), findings
    except UnicodeDecodeError:
        return content.decode("windows-1252", "replace"), [*findings, _found("encoding-windows-1252")]


def _rows(lines: Iterable[str], separator: str) -> Iterator[_Row]:
    """Read line by line: a quote that is not closed must not swallow the properties below it."""
    for number, line in enumerate(lines, start=1):
        try:
            cells = next(csv.reader([line], delimiter=separator), [])
        except csv.Error:  # a cell of more than 131,072 characters
            continue
        if any(cell.strip() for cell in cells):
            name, value, *_ = (*cells, "")
            yield _Row(number, name.strip(), value.strip())


def _of_header(first: _Row) -> Iterator[Finding]:
    cells = (first.name, first.value)
    if tuple(cell.lower() for cell in cells) != tuple(cell.lower() for cell in HEADER):
        yield _found("header-missing", line=first.line)
        return
    for cell, standard in zip(cells, HEADER, strict=True):
        if cell != standard:
            yield _found("column-case", line=first.line, column=standard)


def _known(rows: Iterable[_Row]) -> tuple[dict[str, _Row], list[Finding]]:
    """Find the standard's properties by their names, the first of each; say what is odd about the names."""
    known: dict[str, _Row] = {}
    findings: list[Finding] = []
    unknown = 0
    for row in rows:
        name = _PROPERTIES.get(row.name.lower())
        if name is None:
            unknown += 1
            shown = row.name if unknown <= UNKNOWN_NAMED and _PLAIN.fullmatch(row.name) else ""
            findings.append(_found("manifest-property-unknown", line=row.line, column=shown))
        elif name in known:
            findings.append(_found("manifest-property-doubled", line=row.line, column=name))
        else:
            known[name] = row
            if row.name != name:
                findings.append(_found("manifest-property-case", line=row.line, column=name))
    return known, findings


def _version(known: dict[str, _Row]) -> tuple[Version | None, list[Finding]]:
    """Say which version the manifest names; 1.1 where it names none, None where that cannot be read."""
    manifest, oneroster = (known.get(name) for name in _OWN)
    findings = []
    if manifest is not None and manifest.value != "1.0":
        findings.append(_found("manifest-version", line=manifest.line, column=_OWN[0]))
    if oneroster is None:
        return "1.1", findings
    for version in get_args(Version):
        # 1.2.1 and 1.2_JP are written too; 1.10 would be another version.
        if re.match(rf"{re.escape(version)}(?!\d)", oneroster.value):
            return version, findings
    return None, [*findings, _found("version-unsupported", "fatal", oneroster.line, _OWN[1])]


def _modes(known: dict[str, _Row], version: Version) -> tuple[dict[str, Mode], list[Finding]]:
    """Read each file's mode; a value that is none matters only for the files that are read."""
    mandatory = properties(version)
    findings = [_found("manifest-property-missing", column=name) for name in mandatory if name not in known]
    modes: dict[str, Mode] = {}
    for name, row in known.items():
        table = name.removeprefix("file.")
        if table == name:
            continue
        if name not in mandatory:
            findings.append(_found("manifest-property-unknown", line=row.line, column=name))
        elif row.value.lower() not in _MODES:
            severity: Severity = "fatal" if table in tables(version) else "warning"
            findings.append(_found("manifest-value", severity, row.line, name))
        else:
            modes[table] = _MODES[row.value.lower()]
            if row.value not in _MODES:
                findings.append(_found("manifest-value-case", line=row.line, column=name))
    return modes, findings
