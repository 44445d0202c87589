"""The terminal tells the verdict, the causes first and the next step, in few lines that nothing can steer."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from roster_pipelines.findings import Finding
from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.reports.text import CAUSES_SHOWN, print_report
from roster_pipelines.staging.summary import Summary
from roster_pipelines_tests.reports.samples import PEOPLE, clean, mixed, pulled, refused, summary_of, warned


def told(summary: Summary, *, width: int = 100, sent: bool = False, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, highlight=False, soft_wrap=True)
    print_report(console, "maple.zip", summary, whole="--html FILE", sent=sent)
    return out.getvalue()


@pytest.mark.parametrize(
    ("summary", "first", "last"),
    [
        (clean(), "✓ Accepted  maple.zip, OneRoster 1.1", "Next: Send the files as they are."),
        (mixed(), "! Accepted, with findings  maple.zip", "Next: Fix what rejects rows (2 causes)"),
        (refused(), "✗ Refused  maple.zip", "Next: Fix what refuses the delivery (1 cause, first in the list)"),
        (
            warned(),
            "! Accepted, with findings",
            "Next: The files can be sent as they are; fix the warnings",
        ),
    ],
)
def test_the_verdict_comes_first_and_the_next_step_last(summary: Summary, first: str, last: str) -> None:
    lines = told(summary, width=200).rstrip().splitlines()
    assert lines[0].startswith(first)
    assert lines[-1].startswith(last)


def test_what_was_sent_is_not_to_be_sent_as_it_is() -> None:
    assert "Next: Nothing: keep sending it like this." in told(clean(), sent=True)


def test_the_rows_of_the_files_that_came_are_told() -> None:
    rows = [line.split() for line in told(mixed()).splitlines()]
    assert ["users.csv", "1,200", "1,199", "1"] in rows
    assert not [row for row in rows if row[:1] == ["resources.csv"]]


def test_of_what_was_pulled_collections_and_records_are_named_and_nothing_is_to_be_sent() -> None:
    text = told(pulled(), sent=True)
    assert "1. rejects the row  orgs, sourcedId: the value is missing" in text
    assert "record 4; 150 findings elsewhere from here" in text
    assert "30 rows: records 2, 3, 4, 5, 6 and 25 more" in text
    assert ["users", "1,200", "1,199", "1"] in [line.split() for line in text.splitlines()]
    assert "Next: Fix what rejects rows (2 causes), beginning with the first, then wait for the next pull." in text
    assert not re.search(r"\.csv|\bfiles?\b|\blines?\b|\bexport|\bsend", text)


def test_the_words_for_a_rule_do_not_speak_of_files_where_none_came() -> None:
    refused_pull = replace(summary_of([Finding("file-empty", "fatal", "users")]), api=True)
    assert "users: there is not one record" in told(refused_pull, sent=True)


def test_causes_come_before_what_follows_from_them_with_place_reach_and_remedy() -> None:
    text = told(mixed())
    cause = text.index("1. rejects the row  orgs.csv, sourcedId: the value is missing")
    assert cause < text.index("2. rejects the row  users.csv, role") < text.index("What follows from these")
    assert "line 4; 150 findings elsewhere from here" in text
    assert "→ fill it in" in text
    assert "(administrator, aide, guardian, parent" in text
    assert text.index("What follows from these") < text.index("- classes.csv, schoolSourcedId: the record it names")
    assert "30 rows: lines 2, 3, 4, 5, 6 and 25 more" in text


def test_a_long_list_is_cut_and_says_how_to_see_all_of_it() -> None:
    files = [(file, column.name) for file in TABLES for column in TABLES[file].columns][: CAUSES_SHOWN + 5]
    text = told(summary_of([Finding("value-case", "warning", f"{file}.csv", 2, column) for file, column in files]))
    assert f"{CAUSES_SHOWN}. warning" in text
    assert f"{CAUSES_SHOWN + 1}. warning" not in text
    assert "and 5 more: --html FILE shows them all" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_longer_than_the_terminal_is_wide(width: int) -> None:
    assert max(len(line) for line in told(mixed(), width=width).splitlines()) <= width


def test_a_files_name_cannot_steer_the_terminal() -> None:
    text = told(mixed(), terminal=False)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    assert "[red]" in text  # told, not obeyed
    assert "\x1b]0;" not in told(mixed(), terminal=True)


def test_nothing_of_a_person_is_told() -> None:
    assert not [person for person in PEOPLE if person in told(mixed())]
