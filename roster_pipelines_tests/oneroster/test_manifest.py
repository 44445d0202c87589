"""What a manifest declares, however its exporter or a spreadsheet wrote it, and what is said of it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roster_pipelines.findings import Finding
from roster_pipelines.oneroster import manifest
from roster_pipelines.oneroster.manifest import NO_MANIFEST, Manifest, parse, properties
from roster_pipelines.oneroster.shape import Version
from roster_pipelines.oneroster.templates import templates

CLEAN = templates("1.1")["manifest.csv"]
CLEAN_1_2 = templates("1.2")["manifest.csv"]
LINES = CLEAN.splitlines()

Found = tuple[str, str, int | None, str]


def found(manifest: Manifest) -> list[Found]:
    """Rule, severity, line and column of each finding."""
    assert {finding.file for finding in manifest.findings} <= {"manifest.csv"}
    return [(f.rule, f.severity, f.line, f.column) for f in manifest.findings]


def read(text: str) -> Manifest:
    return parse(text.encode())


def line_of(name: str) -> int:
    (number,) = [number for number, line in enumerate(LINES, start=1) if line.startswith(f"{name},")]
    return number


def changed(old: str, new: str) -> str:
    """The clean manifest with one change."""
    assert old in CLEAN
    return CLEAN.replace(old, new, 1)


@pytest.mark.parametrize(("text", "version"), [(CLEAN, "1.1"), (CLEAN_1_2, "1.2")])
def test_a_manifest_as_the_standard_has_it_is_read_without_a_finding(text: str, version: Version) -> None:
    read_back = read(text)
    assert (read_back.version, read_back.findings) == (version, ())
    declared = dict(line.split(",") for line in text.splitlines())
    assert {f"file.{name}": mode for name, mode in read_back.modes.items()} == {
        name: value for name, value in declared.items() if name.startswith("file.")
    }


@pytest.mark.parametrize(("version", "count"), [("1.1", 15), ("1.2", 23)])
def test_the_mandatory_properties_are_those_of_the_version(version: Version, count: int) -> None:
    assert len(properties(version)) == count
    assert properties(version)[:3] == ("manifest.version", "oneroster.version", "file.academicSessions")
    assert ("file.roles" in properties(version)) == (version == "1.2")


def test_the_order_of_the_properties_does_not_matter() -> None:
    header, *rest = LINES
    assert read("\n".join([header, *reversed(rest)])).modes == read(CLEAN).modes
    assert read("\n".join([header, *reversed(rest)])).findings == ()


@pytest.mark.parametrize(
    "text",
    [
        CLEAN.replace("\r\n", "\n"),
        CLEAN.replace("\r\n", "\r"),
        CLEAN.rstrip(),
        "\ufeff" + CLEAN,
        CLEAN.replace("\r\n", "\r\n\r\n"),
        CLEAN.replace("\r\n", ",,\r\n"),
        CLEAN.replace(",", " , "),
        "".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"\r\n' for line in LINES),
        CLEAN.replace("source.systemName,\r\nsource.systemCode,\r\n", ""),
        CLEAN.replace("source.systemName,", 'source.systemName,"Maple, SIS'),  # a quote that is not closed
    ],
    ids=["LF", "CR", "no last end", "BOM", "blank lines", "further cells", "blanks", "quoted", "no source", "quote"],
)
def test_what_the_standard_leaves_open_is_no_finding(text: str) -> None:
    assert read(text) == read(CLEAN)


@pytest.mark.parametrize(
    ("value", "version"), [("1.1.0", "1.1"), ("1.2.1", "1.2"), ("1.2_JP", "1.2"), (" 1.1 ", "1.1")]
)
def test_a_version_is_known_by_its_beginning(value: str, version: str) -> None:
    text = (CLEAN_1_2 if version == "1.2" else CLEAN).replace(
        f"oneroster.version,{version}", f"oneroster.version,{value}"
    )
    assert (read(text).version, read(text).findings) == (version, ())


@pytest.mark.parametrize("value", ["1.0", "1.10", "1.21", "2.0", "1,1", "", "v1.1"])
def test_a_version_that_is_not_supported_is_fatal_and_nothing_else_is_said(value: str) -> None:
    refused = read(changed("oneroster.version,1.1", f"oneroster.version,{value}"))
    assert found(refused) == [("version-unsupported", "fatal", 3, "oneroster.version")]
    assert (refused.version, refused.modes) == ("1.1", {})


USERS, ORGS, RESULTS = line_of("file.users"), line_of("file.orgs"), line_of("file.results")
FAULTS: dict[str, tuple[str, list[Found]]] = {
    "manifest.version as a spreadsheet writes it": (
        changed("manifest.version,1.0", "manifest.version,1"),
        [("manifest-version", "warning", 2, "manifest.version")],
    ),
    "no manifest.version": (
        changed("manifest.version,1.0\r\n", ""),
        [("manifest-property-missing", "warning", None, "manifest.version")],
    ),
    "no oneroster.version": (
        changed("oneroster.version,1.1\r\n", ""),
        [("manifest-property-missing", "warning", None, "oneroster.version")],
    ),
    "two files not named": (
        changed("file.users,bulk\r\n", "").replace("file.results,absent\r\n", ""),
        [
            ("manifest-property-missing", "warning", None, "file.results"),
            ("manifest-property-missing", "warning", None, "file.users"),
        ],
    ),
    "a file named twice": (
        changed("file.users,bulk", "file.users,bulk\r\nfile.users,delta"),
        [("manifest-property-doubled", "warning", USERS + 1, "file.users")],
    ),
    "a misspelt name": (
        changed("file.demographics", "fiel.demographics"),
        [
            ("manifest-property-unknown", "warning", line_of("file.demographics"), "fiel.demographics"),
            ("manifest-property-missing", "warning", None, "file.demographics"),
        ],
    ),
    "a name that could be anything": (
        CLEAN + "ada@maple.example,x\r\n" + "x" * 61 + ",x\r\n",
        [
            ("manifest-property-unknown", "warning", len(LINES) + 1, ""),
            ("manifest-property-unknown", "warning", len(LINES) + 2, ""),
        ],
    ),
    "a file of the other version": (
        CLEAN + "file.roles,bulk\r\n",
        [("manifest-property-unknown", "warning", len(LINES) + 1, "file.roles")],
    ),
    "a name in another case": (
        changed("file.users", "File.Users"),
        [("manifest-property-case", "warning", USERS, "file.users")],
    ),
    "no mode for a file that is read": (
        changed("file.orgs,bulk", "file.orgs,full"),
        [("manifest-value", "fatal", ORGS, "file.orgs")],
    ),
    "a blank mode": (
        changed("file.orgs,bulk", "file.orgs"),
        [("manifest-value", "fatal", ORGS, "file.orgs")],
    ),
    "no mode for a file that is not read": (
        changed("file.results,absent", "file.results,none"),
        [("manifest-value", "warning", RESULTS, "file.results")],
    ),
    "a mode in another case": (
        changed("file.orgs,bulk", "file.orgs,BULK"),
        [("manifest-value-case", "warning", ORGS, "file.orgs")],
    ),
    "no header": (
        changed("propertyName,value\r\n", ""),
        [("header-missing", "warning", 1, "")],
    ),
    "a header of another kind": (
        changed("propertyName,value", "property,content"),
        [("header-missing", "warning", 1, "")],
    ),
    "a header in another case": (
        changed("propertyName,value", "PropertyName,value"),
        [("column-case", "warning", 1, "propertyName")],
    ),
    "semicolons": (CLEAN.replace(",", ";"), [("separator", "warning", None, "")]),
    "tabs": (CLEAN.replace(",", "\t"), [("separator", "warning", None, "")]),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_its_line_and_its_property_and_nothing_else_is(fault: str) -> None:
    text, expected = FAULTS[fault]
    assert found(read(text)) == expected


def test_what_is_odd_and_can_be_understood_is_read_as_it_was_meant() -> None:
    for fault in ("a mode in another case", "a name in another case", "a file named twice", "no header", "semicolons"):
        assert read(FAULTS[fault][0]).modes == read(CLEAN).modes


ACCENTED = changed("source.systemName,", "source.systemName,Système")


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        (ACCENTED.encode("utf-8"), []),
        (ACCENTED.encode("windows-1252"), ["encoding-windows-1252"]),
        (ACCENTED.encode("utf-16"), ["encoding-utf-16"]),
        (b"\xfe\xff" + ACCENTED.encode("utf-16-be"), ["encoding-utf-16"]),
        (ACCENTED.encode("utf-16-le"), ["encoding-utf-16"]),
        (ACCENTED.encode("utf-16-be"), ["encoding-utf-16"]),
        (ACCENTED.replace("Sys", "Sys\0").encode(), ["nul-bytes"]),
        (ACCENTED.replace(",", "\t").encode("utf-16"), ["encoding-utf-16", "separator"]),
    ],
)
def test_a_manifest_is_understood_in_every_encoding_that_spreadsheets_write(content: bytes, rules: list[str]) -> None:
    understood = parse(content)
    assert found(understood) == [(rule, "warning", None, "") for rule in rules]
    assert understood.modes == read(CLEAN).modes


GARBAGE = bytes(range(256)) * 4000


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"hello", b"propertyName,value\n", b'"' * 200_000, b"\0" * 1000, GARBAGE, b"x\n" * 200_000],
)
def test_what_is_no_manifest_is_fatal_and_nothing_else_is_said(content: bytes) -> None:
    assert found(parse(content)) == [("manifest-unreadable", "fatal", None, "")]


def test_of_thousands_of_unknown_properties_the_first_hundred_are_named() -> None:
    numbers = [f"x{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}.{'y' * (n // 676)}" for n in range(3000)]
    findings = read(CLEAN + "".join(f"{name},1\n" for name in numbers)).findings
    assert len(findings) == 3000
    assert [finding.column for finding in findings] == [*numbers[:100], *[""] * 2900]
    assert findings[-1].line == len(LINES) + 3000


def test_of_an_endless_manifest_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "READ_BYTES", len(ACCENTED.encode()) + 1)
    assert parse(ACCENTED.encode() + "é".encode() * 100).findings == (), "cut through a character"


def test_without_a_manifest_everything_is_read_as_1_1_in_bulk_with_a_warning() -> None:
    assert Manifest("1.1", {}, (Finding("manifest-missing", "warning", "manifest.csv"),)) == NO_MANIFEST


@settings(max_examples=60)
@given(
    st.binary(max_size=300) | st.text(alphabet='file.usrbk,\n\r";\t \0', max_size=300).map(str.encode), st.booleans()
)
@example(b"\xff\xfe\x00", True)
def test_any_bytes_give_a_manifest_and_never_an_exception(content: bytes, after: bool) -> None:
    read_back = parse(CLEAN.encode() + content if after else content)
    assert read_back.version in ("1.1", "1.2")
    assert read_back.findings or after
    for finding in read_back.findings:
        assert finding.message
        assert len(finding.column) <= 60
