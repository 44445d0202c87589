"""Programs get the structure that is promised, complete and in order, and no id that speaks of a person."""

import json

import pytest

from roster_pipelines.findings import Cause, Finding
from roster_pipelines.reports import as_json
from roster_pipelines.reports.places import MASKED, masked
from roster_pipelines_tests.reports.samples import PEOPLE, mixed, summary_of

KEYS = ["rule", "severity", "file", "line", "column", "sourced_id", "message", "remedy", "caused_by"]


def test_the_keys_are_those_promised_and_further_ones_come_behind() -> None:
    told = as_json(mixed())
    promised = ["verdict", "oneroster_version", "tables", "findings", "truncated"]
    assert list(told) == [*promised, "causes", "counts"]
    assert (told["verdict"], told["oneroster_version"]) == ("accepted_with_findings", "1.1")
    assert told["tables"]["users"] == {"read": 1200, "accepted": 1199, "rejected": 1}
    assert {tuple(finding) for finding in told["findings"]} == {tuple(KEYS)}
    json.dumps(told)


def test_findings_come_by_severity_file_and_line() -> None:
    found = [
        Finding("file-never-stored", "info", "demographics.csv"),
        Finding("grade-form", "warning", "users.csv", 3, "grades"),
        Finding("value-unknown", "error", "users.csv", 9, "role"),
        Finding("id-doubled", "error", "users.csv", 8, "sourcedId"),
        Finding("id-doubled", "error", "orgs.csv", 12, "sourcedId"),
        Finding("file-missing", "fatal", "users.csv"),
    ]
    told = as_json(summary_of(found))["findings"]
    assert [(f["severity"], f["file"], f["line"]) for f in told] == [
        ("fatal", "users.csv", None),
        ("error", "orgs.csv", 12),
        ("error", "users.csv", 8),
        ("error", "users.csv", 9),
        ("warning", "users.csv", 3),
        ("info", "demographics.csv", None),
    ]


def test_a_derived_finding_names_its_cause_and_the_others_name_none() -> None:
    cause = Cause("value-missing", "orgs.csv", 4)
    found = [
        Finding("value-missing", "error", "orgs.csv", 4, "sourcedId"),
        Finding("reference-nowhere", "error", "users.csv", 5, "orgSourcedIds", "usr-5", cause),
    ]
    told = as_json(summary_of(found))
    assert [f["caused_by"] for f in told["findings"]] == [
        None,
        {"rule": "value-missing", "file": "orgs.csv", "line": 4},
    ]
    assert [cause["rule"] for cause in told["causes"]] == ["value-missing"]


def test_the_true_counts_are_told_where_not_all_is_listed() -> None:
    summary = summary_of([Finding("grade-form", "warning", "users.csv", 2, "grades")], more={"grade-form": 999})
    told = as_json(summary)
    assert told["truncated"] is True
    assert [count["count"] for count in told["counts"]] == [1000]
    assert as_json(summary_of([Finding("line-blank", "info", "users.csv", 2)]))["truncated"] is False


@pytest.mark.parametrize("sourced_id", [*PEOPLE, "usr 7", "7@x", "acorn", "Zoë.Ähre", "mary-jane.o'neil2", "a.b_c-9"])
def test_an_id_that_looks_like_an_address_or_a_name_is_masked(sourced_id: str) -> None:
    assert masked(sourced_id) == MASKED


@pytest.mark.parametrize(
    "sourced_id", ["", "usr-000007", "7_1553", "G333333", "5678_T5678-0005", "1f0c-22", "org_1", "a.b.123456"]
)
def test_an_opaque_id_is_told_as_it_is(sourced_id: str) -> None:
    assert masked(sourced_id) == sourced_id


def test_no_masked_id_is_in_what_programs_get() -> None:
    told = json.dumps(as_json(mixed()))
    assert told.count(MASKED) == len(PEOPLE)
    assert not [person for person in PEOPLE if person in told]
