"""Findings: one rule broken at one place. Never a value of a person, only where to look and what to do."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["fatal", "error", "warning", "info"]

RULES: dict[str, tuple[str, str]] = {
    # the delivery as a whole: what is wrong, what to do
    "manifest-missing": ("there is no manifest.csv", "add manifest.csv; what is here was read as 1.1 bulk"),
    "manifest-value": ("a file's mode is none of absent, bulk, delta", "correct the value in manifest.csv"),
    "version-unsupported": ("oneroster.version is not 1.1", "export OneRoster 1.1 CSV files"),
    "delta-unsupported": ("the manifest declares delta", "send the file in bulk: complete, every time"),
    "file-missing": ("a required file, or one that the manifest declares, is missing", "add the file to the delivery"),
    "file-empty": ("a required file holds no rows", "export the file again with its rows"),
    "file-declared-absent": (
        "the file is here although the manifest says absent, so it was not read",
        "declare it bulk in manifest.csv, or leave it out",
    ),
    "file-unknown": ("the file is none of OneRoster's", "leave it out"),
    "file-not-used": ("the file is recognised and not used", "nothing: it was not stored"),
    "file-never-stored": ("demographics are never used", "leave it out: it was neither read nor stored"),
    "file-name-case": (
        "the file's name is not in the standard's case",
        "name it exactly as the standard does",
    ),
    "encoding-unreadable": ("the file is not UTF-8", "export it as UTF-8"),
    "header-missing": (
        "the first line is no header of this file",
        "begin the file with the standard's column names, separated by commas",
    ),
    "line-ends-mixed": (
        "the file's line ends are of several kinds",
        "export it with one kind of line end, CRLF or LF, and without line breaks inside fields",
    ),
    "column-missing": ("a required column is missing", "add the column to the header"),
    "column-absent": ("an optional column of the standard is missing", "add it, even if it is empty"),
    "column-unknown": ("the column is not of the standard", "leave it out, or name it metadata.<name>"),
    "column-case": (
        "the column's name is not in the standard's case",
        "write it exactly as the standard does",
    ),
    "column-doubled": ("the column stands in the header twice", "leave one of the two out"),
    "file-unusable": ("not one row of a required file can be used", "mend what its findings say"),
    "quote-unclosed": (
        "a quote is not closed, so that the rows after it cannot be told apart",
        "close it or take it out: the line named is where reading went wrong",
    ),
    "lines-approximate": (
        "a quote that is not closed or a line break inside a field joins lines, so rows may be lost and line numbers "
        "are approximate",
        "close every quote, and export without line breaks inside fields",
    ),
    # one row
    "nul-bytes": ("the file holds NUL bytes, which were taken out", "export the file again as plain UTF-8"),
    "row-unreadable": ("the row does not have one value for each column", "export the row again"),
    "value-missing": ("the value is missing", "fill it in"),
    "value-unknown": ("the value is none of the standard's", "use one of the standard's values"),
    "value-case": ("the value is not in the standard's case", "write it exactly as the standard does"),
    "date-unreadable": ("the value is no date", "write dates as YYYY-MM-DD"),
    "year-unreadable": ("the value is no year", "write the year in which the school year ends, as YYYY"),
    "id-doubled": ("the sourcedId stands in an earlier row too", "give every record its own sourcedId"),
    "reference-nowhere": ("the record it names is not in the delivery", "add that record, or correct the id"),
    "delta-field-in-bulk": ("the value must be blank in a bulk file", "leave it blank in bulk files"),
    "nces-id-unlikely": (
        "the identifier is no NCES id",
        "give the 12-digit NCES id (7 digits for a district)",
    ),
    "subject-codes-length": (
        "subjects and subjectCodes differ in length",
        "give one code for each subject, or none of both",
    ),
}
"""What each rule says, and its remedy."""


@dataclass(frozen=True)
class Finding:
    """One rule broken at one place.

    Attributes:
        rule: A key of `RULES`.
        severity: `fatal` refuses the delivery, `error` rejects the row, `warning` repairs or drops the value.
        file: The standard's name of the file.
        line: The line of the delivered file (the header is line 1); None where the finding is about the file.
        column: The column, blank where the finding is about the row or the file.
        sourced_id: The row's opaque id, blank where there is none.
    """

    rule: str
    severity: Severity
    file: str
    line: int | None = None
    column: str = ""
    sourced_id: str = ""


@dataclass(frozen=True)
class FindingCount:
    """How often one rule was broken in one column of one file, and the first lines where."""

    rule: str
    severity: Severity
    file: str
    column: str
    count: int
    lines: tuple[int, ...] = ()

    @property
    def message(self) -> str:
        """What is wrong, for a person."""
        where = f"{self.file}, {self.column}" if self.column else self.file
        return f"{where}: {RULES[self.rule][0]}"

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return RULES[self.rule][1]
