"""What is found in whole files: their headers, their encoding, their lines, and whether they are there."""

from collections.abc import Callable

import pytest

from roster_pipelines.simulators.districts import District
from roster_pipelines_tests.staging.conftest import Delivered, Found, Staged


def without_column(table: str, name: str) -> Callable[[Delivered], None]:
    def edit(delivered: Delivered) -> None:
        position = delivered.text(table).partition("\n")[0].split(",").index(name)
        delivered.edit_columns(table, lambda row: row[:position] + row[position + 1 :])

    return edit


def with_column(table: str, header: str) -> Callable[[Delivered], None]:
    def edit(delivered: Delivered) -> None:
        delivered.edit_columns(table, lambda row: [*row, header if row[0] == "sourcedId" else "blue"])

    return edit


def rewritten(table: str, edit: Callable[[str], str | bytes]) -> Callable[[Delivered], None]:
    return lambda delivered: delivered.write(table, edit(delivered.text(table)))


def renamed(table: str, before: str, after: str) -> Callable[[Delivered], None]:
    return lambda delivered: delivered.replace_line(table, 1, lambda header: header.replace(before, after))


def gone(*tables: str) -> Callable[[Delivered], None]:
    return lambda delivered: [(delivered.folder / f"{table}.csv").unlink() for table in tables] and None


def manifest(before: str, after: str) -> Callable[[Delivered], None]:
    return rewritten("manifest", lambda text: text.replace(before, after))


# Each in another file, so that all of one kind can stand in one delivery.
UNREADABLE: dict[str, tuple[Callable[[Delivered], None], Found]] = {
    "a required column is missing": (
        without_column("classes", "title"),
        ("column-missing", "fatal", "classes.csv", 1, "title"),
    ),
    "a column is there twice": (
        with_column("courses", "Title"),
        ("column-doubled", "fatal", "courses.csv", 1, "title"),
    ),
    "the header is missing": (
        rewritten("users", lambda text: text.partition("\n")[2]),
        ("header-missing", "fatal", "users.csv", 1, ""),
    ),
    "the file is in Latin-1": (
        rewritten("orgs", lambda text: text.replace("Alder", "Álder").encode("latin-1")),
        ("encoding-unreadable", "fatal", "orgs.csv", None, ""),
    ),
    "the file's line ends are mixed": (
        rewritten("enrollments", lambda text: text.replace("\n", "\r\n", 200)),
        ("line-ends-mixed", "fatal", "enrollments.csv", None, ""),
    ),
    "the manifest is in UTF-16": (
        rewritten("manifest", lambda text: text.encode("utf-16")),
        ("encoding-unreadable", "fatal", "manifest.csv", None, ""),
    ),
}

INCOMPLETE: dict[str, tuple[Callable[[Delivered], None], Found]] = {
    "a required file has no rows": (
        rewritten("enrollments", lambda text: text.partition("\n")[0] + "\n"),
        ("file-empty", "fatal", "enrollments.csv", None, ""),
    ),
    "a required file has nothing at all": (
        rewritten("users", lambda _: ""),
        ("file-empty", "fatal", "users.csv", None, ""),
    ),
    "a required file is missing": (
        gone("classes"),
        ("file-missing", "fatal", "classes.csv", None, ""),
    ),
    "the manifest says delta": (
        manifest("file.courses,bulk", "file.courses,delta"),
        ("delta-unsupported", "fatal", "courses.csv", None, ""),
    ),
    "the manifest says no mode that is one": (
        manifest("file.academicSessions,bulk", "file.academicSessions,complete"),
        ("manifest-value", "fatal", "manifest.csv", None, "file.academicSessions"),
    ),
    "the manifest says 1.2": (
        manifest("oneroster.version,1.1", "oneroster.version,1.2"),
        ("version-unsupported", "fatal", "manifest.csv", None, ""),
    ),
}

WARNED: dict[str, tuple[Callable[[Delivered], None], Found]] = {
    "an optional column is missing": (
        without_column("courses", "subjectCodes"),
        ("column-absent", "warning", "courses.csv", 1, "subjectCodes"),
    ),
    "a column is not the standard's": (
        with_column("users", "favouriteColour"),
        ("column-unknown", "warning", "users.csv", 1, "column 19"),
    ),
    "a column's name is in the wrong case": (
        renamed("enrollments", "userSourcedId", "UserSourcedID"),
        ("column-case", "warning", "enrollments.csv", 1, "userSourcedId"),
    ),
    "the manifest says nothing legal of a file that is not used": (
        manifest("file.results,absent", "file.results,none"),
        ("manifest-value", "warning", "manifest.csv", None, "file.results"),
    ),
    "a file's name is in the wrong case": (
        lambda delivered: (delivered.folder / "classes.csv").rename(delivered.folder / "Classes.CSV") and None,
        ("file-name-case", "warning", "classes.csv", None, ""),
    ),
    "a file is none of the standard's": (
        lambda delivered: delivered.write("parents", "id\n1\n"),
        ("file-unknown", "warning", "parents.csv", None, ""),
    ),
}


@pytest.mark.parametrize("faults", [UNREADABLE, INCOMPLETE], ids=["unreadable", "incomplete"])
def test_files_that_cannot_be_read_whole_refuse_the_delivery_each_for_one_reason(
    faults: dict[str, tuple[Callable[[Delivered], None], Found]], delivered: Delivered
) -> None:
    """Nothing is told of the rows that would refer to what is not there."""
    for spoil, _ in faults.values():
        spoil(delivered)
    staged = delivered.stage()
    assert staged.summary.verdict == "refused"
    assert staged.found == {finding for _, finding in faults.values()}
    assert len(staged.summary.fatal) == len(faults)


def test_one_file_in_delta_refuses_the_whole_delivery(delivered: Delivered, clean: Staged) -> None:
    manifest("file.users,bulk", "file.users,delta")(delivered)
    staged = delivered.stage()
    assert staged.summary.verdict == "refused"
    assert staged.found == {("delta-unsupported", "fatal", "users.csv", None, "")}


def test_what_only_departs_from_the_standard_is_warned_of_and_read(
    delivered: Delivered, clean_district: District, clean: Staged
) -> None:
    for depart, _ in WARNED.values():
        depart(delivered)
    staged = delivered.stage()
    assert staged.summary.verdict == "accepted_with_findings"
    assert staged.found == {finding for _, finding in WARNED.values()}
    assert {name: counts.accepted for name, counts in staged.summary.tables.items()} == clean_district.counts
    assert staged.accepted("enrollments") == clean.accepted("enrollments")


def test_without_a_manifest_what_is_there_is_read_with_a_warning(delivered: Delivered, clean: Staged) -> None:
    gone("manifest")(delivered)
    staged = delivered.stage()
    assert staged.summary.verdict == "accepted_with_findings"
    assert staged.found == {("manifest-missing", "warning", "manifest.csv", None, "")}
    assert staged.summary.tables == clean.summary.tables


def test_a_clean_district_is_accepted_without_a_finding(clean: Staged, clean_district: District) -> None:
    assert clean.summary.verdict == "accepted"
    assert clean.summary.findings == ()
    assert {name: counts.read for name, counts in clean.summary.tables.items()} == clean_district.counts
    assert all(c.accepted == c.read and c.rejected == 0 for c in clean.summary.tables.values())


def test_accepted_rows_have_their_types(clean: Staged) -> None:
    types = dict(clean.rows("SELECT column_name, column_type FROM (DESCRIBE main.enrollments)"))
    assert (types["primary"], types["beginDate"], types["_line"]) == ("BOOLEAN", "DATE", "BIGINT")
    assert clean.rows('SELECT "termSourcedIds" FROM main.classes WHERE _line = 2') == [(["ses-2027-1", "ses-2027-2"],)]


def test_a_byte_order_mark_crlf_cr_and_quotes_around_everything_change_nothing(
    delivered: Delivered, clean: Staged
) -> None:
    delivered.write("users", "\ufeff" + delivered.text("users"))
    delivered.change("classes", lambda text: text.replace("\n", "\r\n"))
    delivered.change("orgs", lambda text: text.replace("\n", "\r"))
    delivered.change("courses", lambda text: text.rstrip("\n"))
    quoted = '"\n"'.join(delivered.text("enrollments").replace(",", '","').splitlines())
    delivered.write("enrollments", f'\ufeff"{quoted}"\n')
    staged = delivered.stage()
    assert staged.summary == clean.summary
    for table in clean.summary.tables:
        assert staged.accepted(table) == clean.accepted(table)


def test_columns_in_another_order_or_beyond_the_standard_change_nothing(delivered: Delivered, clean: Staged) -> None:
    delivered.edit_columns("users", lambda row: row[::-1])
    with_column("classes", "metadata.room")(delivered)
    staged = delivered.stage()
    assert staged.summary == clean.summary
    assert staged.accepted("users") == clean.accepted("users")


def test_rows_with_too_few_or_too_many_cells_are_told_by_their_line_in_the_file(delivered: Delivered) -> None:
    """Blank lines count as lines, whichever side of a ragged row they stand on."""
    header, *rows = delivered.text("courses").splitlines()
    few, many = rows[2].rsplit(",", 1)[0], rows[5] + ",one,too,many"
    spoilt = [header, "", *rows[:2], few, "", "", *rows[3:5], many, *rows[6:], ""]
    delivered.write("courses", "\n".join(spoilt))
    staged = delivered.stage()
    about_courses = {found for found in staged.found if found[2] == "courses.csv"}
    assert about_courses == {("row-unreadable", "error", "courses.csv", line, "") for line in (5, 10)}
    assert staged.rows("SELECT line, reason FROM rejected.unreadable ORDER BY line") == [
        (5, "missing columns"),
        (10, "too many columns"),
    ]
    lines = dict(staged.rows('SELECT "sourcedId", _line FROM main.courses'))
    assert lines == {row.split(",")[0]: spoilt.index(row) + 1 for row in rows if row not in (rows[2], rows[5])}
    counts = staged.summary.tables["courses"]
    assert (counts.read, counts.accepted, counts.rejected) == (104, 102, 2)


def test_a_quote_that_is_not_closed_refuses_the_delivery_for_the_people_it_swallows(delivered: Delivered) -> None:
    """From the quote on, the file is one cell: its rows are read, but neither accepted nor rejected."""
    delivered.replace_line("users", 5, lambda row: row.replace("true,", 'true,"', 1))
    staged = delivered.stage()
    counts = staged.summary.tables["users"]
    assert (counts.read, counts.accepted, counts.rejected) == (46, 3, 1)
    assert not counts.add_up
    assert staged.summary.verdict == "refused"
    assert {found for found in staged.found if found[2] == "users.csv"} == {
        ("row-unreadable", "error", "users.csv", 5, ""),
        ("quote-unclosed", "fatal", "users.csv", 5, ""),
    }


@pytest.mark.parametrize("missing", ["header only", "no files"])
def test_with_access_codes_orgs_and_courses_may_come_without_rows(missing: str, delivered: Delivered) -> None:
    """The guide's footnote; every reference to them then checks nothing."""
    if missing == "no files":
        gone("orgs", "courses")(delivered)
        for table in ("orgs", "courses"):
            manifest(f"file.{table},bulk", f"file.{table},absent")(delivered)
    for table in ("orgs", "courses") if missing == "header only" else ():
        delivered.change(table, lambda text: text.partition("\n")[0] + "\n")
    staged = delivered.stage("access_code")
    assert staged.summary.verdict == "accepted"
    assert staged.found == set()
    assert staged.summary.tables["classes"].accepted == 104


def test_a_file_that_the_manifest_declares_and_that_is_not_there_refuses_the_delivery(delivered: Delivered) -> None:
    """The upload was not whole: taken as it is, it would take the schools away from everybody."""
    gone("orgs")(delivered)
    staged = delivered.stage("access_code")
    assert staged.summary.verdict == "refused"
    assert ("file-missing", "fatal", "orgs.csv", None, "") in staged.found


def test_nul_bytes_are_taken_out_and_told(delivered: Delivered) -> None:
    delivered.change("users", lambda text: text.replace("@maple", "\0@maple", 1))
    staged = delivered.stage()
    assert staged.found == {("nul-bytes", "warning", "users.csv", None, "")}
    assert "\0" not in staged.everything()


def test_a_file_that_cannot_be_read_at_all_does_not_add_up(delivered: Delivered) -> None:
    delivered.write("users", delivered.text("users").encode("utf-16"))
    counts = delivered.stage().summary.tables["users"]
    assert counts.read > 0
    assert not counts.add_up


def test_with_auto_registration_orgs_and_courses_without_rows_refuse_the_delivery(delivered: Delivered) -> None:
    delivered.change("orgs", lambda text: text.partition("\n")[0] + "\n")
    gone("courses")(delivered)
    staged = delivered.stage("auto_by_school")
    assert staged.summary.verdict == "refused"
    assert staged.found == {
        ("file-empty", "fatal", "orgs.csv", None, ""),
        ("file-missing", "fatal", "courses.csv", None, ""),
    }


def test_a_file_that_the_manifest_calls_absent_is_not_read(delivered: Delivered) -> None:
    manifest("file.courses,bulk", "file.courses,absent")(delivered)
    staged = delivered.stage()
    assert staged.summary.verdict == "accepted_with_findings"
    assert staged.found == {("file-declared-absent", "warning", "courses.csv", None, "")}
    assert staged.summary.tables["courses"].read == 0


def test_a_rule_that_fails_on_every_row_lists_a_hundred_findings_and_counts_them_all(delivered: Delivered) -> None:
    delivered.change("enrollments", lambda text: text.replace(",student,", ",pupil,").replace(",teacher,", ",tutor,"))
    staged = delivered.stage()
    listed = {found for found in staged.found if found[0] == "value-unknown"}
    assert len(listed) == 100
    assert {line for *_, line, _ in listed} == set(range(2, 102))
    unusable, counted = staged.summary.findings
    assert (unusable.rule, unusable.severity, unusable.file) == ("file-unusable", "fatal", "enrollments.csv")
    assert (counted.rule, counted.severity, counted.count) == ("value-unknown", "error", 434)
    counts = staged.summary.tables["enrollments"]
    assert (counts.read, counts.accepted, counts.rejected) == (434, 0, 434)
