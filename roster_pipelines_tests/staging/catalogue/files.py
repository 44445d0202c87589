"""What stands wrong in a whole file: its encoding, its lines, its header."""

import re
from collections.abc import Callable

from roster_pipelines_tests.staging.catalogue import manifest
from roster_pipelines_tests.staging.catalogue.fault import Fault, Group, Lines, Plant, faults_of, in_file
from roster_pipelines_tests.staging.catalogue.ground import SCHOOL, Ground


def warned(what: str, rule: str, where: str, plant: Plant) -> Fault:
    return in_file(what, rule, "warning", where, plant)


def rewritten(table: str, edit: Callable[[str], str | bytes], line: int | None = None) -> Plant:
    """Change a file's whole text, for a fault that is found at a line, or about the file."""

    def plant(ground: Ground) -> Lines:
        ground.write(table, edit(ground.text(table)))
        return line

    return plant


def in_line(table: str, edit: Callable[[str], str]) -> Plant:
    """Change one line that nothing hangs on: a student's where there is one."""

    def plant(ground: Ground) -> Lines:
        line = ground.line(table, lambda row: row.get("role", "student") == "student")
        ground.replace_line(table, line, edit)
        return line

    return plant


def all_columns(table: str, edit: Callable[[list[str]], list[str]]) -> Plant:
    """Change every row's list of cells; found in the header."""

    def plant(ground: Ground) -> Lines:
        ground.edit_columns(table, edit)
        return 1

    return plant


def column_gone(table: str, name: str) -> Plant:
    def plant(ground: Ground) -> Lines:
        place = ground.text(table).partition("\n")[0].split(",").index(name)
        return all_columns(table, lambda row: row[:place] + row[place + 1 :])(ground)

    return plant


def column_more(table: str, header: str) -> Plant:
    return all_columns(table, lambda row: [*row, header if row[0] == "sourcedId" else "blue"])


def header(table: str, before: str, after: str) -> Plant:
    return rewritten(table, lambda text: text.replace(before, after, 1), 1)


def with_passwords(ground: Ground) -> None:
    ground.edit_columns("users", lambda row: row if row[-1] == "password" else [*row[:-1], "Xylophon"])


def new_line(table: str, text: str) -> Plant:
    """Write a line at the file's end."""

    def plant(ground: Ground) -> Lines:
        ground.change(table, lambda before: f"{before}{text}\n")
        return ground.text(table).count("\n")

    return plant


def first_line_gone(text: str) -> str:
    return text.partition("\n")[2]


def mixed(content: bytes) -> bytes:
    """Write the word of one line in UTF-8, that of the next one in Windows-1252."""
    return content.replace(b"Section", "Sección".encode(), 1).replace(b"Section", "Sección".encode("cp1252"), 1)


def truncated(ground: Ground) -> int:
    """Cut enrollments.csv off in the middle of a new last row."""
    line = ground.enroll(sourcedId="enr-cut", classSourcedId="cls-000001", schoolSourcedId=SCHOOL)
    ground.change("enrollments", lambda text: text.rstrip("\n")[:-4])
    return line


def endless(table: str, column: str) -> Plant:
    """A row longer than DuckDB takes, where ours would not have set it apart."""

    def plant(ground: Ground) -> None:
        ground.add(table, **{column: "x" * 3_000_000})
        ground.write(table, ground.text(table).encode("utf-16"))

    return plant


ENCODINGS = Group(
    "encodings",
    (
        manifest.MISSING,
        warned(
            "UTF-16 with a byte order mark",
            "encoding-utf-16",
            "academicSessions",
            rewritten("academicSessions", lambda text: text.encode("utf-16")),
        ),
        warned(
            "UTF-16 without one", "encoding-utf-16", "orgs", rewritten("orgs", lambda text: text.encode("utf-16-be"))
        ),
        warned(
            "Windows-1252",
            "encoding-windows-1252",
            "courses",
            rewritten("courses", lambda text: text.replace("Health", "Éducation").encode("cp1252")),
        ),
        warned(
            "one line of Windows-1252 among UTF-8",
            "encoding-windows-1252",
            "classes",
            rewritten("classes", lambda text: mixed(text.encode())),
        ),
        warned(
            "lines that end in carriage returns",
            "line-ends",
            "enrollments",
            rewritten("enrollments", lambda text: text.replace("\n", "\r")),
        ),
        warned(
            "a NUL byte in an address", "nul-bytes", "users", in_line("users", lambda row: row.replace("@", "\0@", 1))
        ),
    ),
)
SEPARATORS = Group(
    "separators and lines",
    (
        manifest.UNREADABLE,
        warned(
            "semicolons",
            "separator",
            "academicSessions",
            rewritten("academicSessions", lambda text: text.replace(",", ";"), 1),
        ),
        warned("tabs", "separator", "orgs", rewritten("orgs", lambda text: text.replace(",", "\t"), 1)),
        warned("vertical bars", "separator", "users", rewritten("users", lambda text: text.replace(",", "|"), 1)),
        in_file("a blank line", "line-blank", "info", "courses", new_line("courses", "")),
        in_file(
            "a row with a value too many",
            "row-unreadable",
            "error",
            "enrollments",
            in_line("enrollments", lambda row: f"{row},2026"),
        ),
        in_file(
            "a row with a value too few",
            "row-unreadable",
            "error",
            "enrollments",
            in_line("enrollments", lambda row: row.rpartition(",")[0]),
        ),
        in_file(
            "a quote that is not closed",
            "row-unreadable",
            "error",
            "enrollments",
            in_line("enrollments", lambda row: row.replace(",student", ',"student', 1)),
        ),
        in_file(
            "text behind a closing quote",
            "row-unreadable",
            "error",
            "enrollments",
            in_line("enrollments", lambda row: row.replace(",student", ',"student"s', 1)),
        ),
        warned(
            "a line break in a title",
            "line-break-in-field",
            "classes",
            in_line("classes", lambda row: re.sub(",,,(.*?) - (.*?),", r',,,"\1\n\2",', row, count=1)),
        ),
        in_file("the file ends within a row", "row-truncated", "error", "enrollments", truncated),
        warned(
            "lines that end in several ways",
            "line-ends",
            "enrollments",
            rewritten("enrollments", lambda text: text.replace("\n", "\r\n", 50)),
        ),
    ),
)


COLUMNS = Group(
    "columns",
    (
        warned(
            "a required column is missing where the file is not needed",
            "column-missing",
            "resources.vendorResourceId",
            column_gone("resources", "vendorResourceId"),
        ),
        warned(
            "the header is missing where the file is not needed",
            "header-missing",
            "courseResources",
            rewritten("courseResources", first_line_gone, 1),
        ),
        warned(
            "an optional column stands there twice",
            "column-doubled",
            "classResources.title",
            column_more("classResources", "title"),
        ),
        warned(
            "an optional column is missing",
            "column-absent",
            "courses.subjectCodes",
            column_gone("courses", "subjectCodes"),
        ),
        warned("a column is none of the standard's", "column-unknown", "orgs.column 8", column_more("orgs", "colour")),
        warned(
            "a column is in the wrong case",
            "column-case",
            "enrollments.userSourcedId",
            header("enrollments", "userSourcedId", "UserSourcedID"),
        ),
        warned(
            "a column has blanks around it", "column-case", "enrollments.role", header("enrollments", "role", " role ")
        ),
        warned(
            "the columns stand in another order",
            "column-order",
            "classes",
            all_columns("classes", lambda row: [*row[:3], *row[:2:-1]]),
        ),
        warned(
            "a metadata column stands before the standard's",
            "column-order",
            "academicSessions",
            all_columns("academicSessions", lambda row: ["metadata.term" if row[0] == "sourcedId" else "1", *row]),
        ),
        in_file("passwords were sent", "password-sent", "info", "users", with_passwords),
    ),
    resources=True,
)
REFUSED = Group(
    "headers that refuse",
    (
        in_file(
            "a required column is missing", "column-missing", "fatal", "classes.title", column_gone("classes", "title")
        ),
        in_file(
            "a required column stands there twice",
            "column-doubled",
            "fatal",
            "courses.title",
            column_more("courses", "Title"),
        ),
        in_file(
            "the header is missing",
            "header-missing",
            "fatal",
            "academicSessions",
            rewritten("academicSessions", first_line_gone, 1),
        ),
    ),
)


LOST = Group(
    "lost lines",
    (
        manifest.VERSION,
        in_file("DuckDB has left a line out", "lines-lost", "fatal", "users", endless("users", "middleName")),
        in_file(
            "it has in a file that is not needed", "lines-lost", "warning", "resources", endless("resources", "title")
        ),
        warned("a needed file in UTF-16", "encoding-utf-16", "users", lambda _: None),
        warned("a file in UTF-16 that is not needed", "encoding-utf-16", "resources", lambda _: None),
    ),
    resources=True,
    longest=5_000_000,
)

GROUPS = (ENCODINGS, SEPARATORS, COLUMNS, REFUSED, LOST)
FAULTS = [fault for fault in faults_of(*GROUPS) if fault not in manifest.FAULTS]
