"""What a manifest declares, however its exporter wrote it."""

import pytest

from roster_pipelines.oneroster.manifest import NO_MANIFEST, Manifest, parse

MANIFEST = """propertyName,value
manifest.version,1.0
oneroster.version,1.1
file.users,bulk
file.orgs,absent
file.enrollments,delta
source.systemName,Maple SIS
"""


def test_the_version_and_each_files_mode_are_read() -> None:
    assert parse(MANIFEST) == Manifest("1.1", {"users": "bulk", "orgs": "absent", "enrollments": "delta"})


def test_the_order_of_the_properties_does_not_matter() -> None:
    header, *properties = MANIFEST.splitlines()
    assert parse("\n".join([header, *reversed(properties)])) == parse(MANIFEST)


@pytest.mark.parametrize("value", ["BULK", "Bulk", " bulk ", '"bulk"'])
def test_a_mode_is_read_in_any_case_padded_or_quoted(value: str) -> None:
    assert parse(f"propertyName,value\noneroster.version,1.1\nfile.users,{value}\n").modes == {"users": "bulk"}


def test_lines_may_end_as_windows_writes_them() -> None:
    assert parse(MANIFEST.replace("\n", "\r\n")) == parse(MANIFEST)


def test_unknown_properties_and_further_cells_are_passed_over() -> None:
    extended = MANIFEST.replace("file.users,bulk", "file.users,bulk,yes\nfiel.orgs,delta\nvendor.note,hello")
    assert parse(extended) == parse(MANIFEST)


@pytest.mark.parametrize("value", ["", "full", "bulk delta", "true"])
def test_a_value_that_is_no_mode_is_told_of_and_taken_for_none(value: str) -> None:
    manifest = parse(MANIFEST.replace("file.users,bulk", f"file.users,{value}"))
    assert manifest.unreadable == ("users",)
    assert manifest.modes == {"orgs": "absent", "enrollments": "delta"}


def test_a_quote_that_is_not_closed_swallows_no_property_below_it() -> None:
    assert parse(MANIFEST.replace("manifest.version,1.0", 'manifest.version,"1.0')) == parse(MANIFEST)


@pytest.mark.parametrize("text", ["", "\n\n", "hello", "propertyName,value\n", '"' + "x" * 200_000])
def test_a_text_that_is_no_manifest_declares_no_version(text: str) -> None:
    assert parse(text) == Manifest("", {})


def test_without_a_manifest_everything_is_read_as_1_1_in_bulk() -> None:
    assert Manifest("1.1", {}) == NO_MANIFEST
