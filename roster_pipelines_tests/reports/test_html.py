"""The page stands by itself, can be read by everybody, and carries no value of a person and nothing hostile."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from roster_pipelines.catalogue import RULES
from roster_pipelines.findings import Finding
from roster_pipelines.reports.html import html
from roster_pipelines.reports.words import HINTS
from roster_pipelines.staging.summary import Summary
from roster_pipelines_tests.reports.samples import AT, PEOPLE, clean, mixed, pulled, refused, summary_of

VOID = {"meta", "img", "br", "hr", "input", "link"}
INLINE = {"a", "code", "span", "strong", "time"}


class Page(HTMLParser):
    """A page taken apart: elements with their attributes, headings, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.headings: list[tuple[int, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.open.append(tag)
        if tag not in INLINE:
            self.words.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            return
        self.words.append(data)
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            self.headings[-1] = (self.headings[-1][0], self.headings[-1][1] + data)

    def of(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def page_of(summary: Summary, delivery: str | None = "20261124T080002Z-3fa9c1d2") -> str:
    return html("Maple Valley School District", summary, delivery=delivery, made_at=AT)


@pytest.fixture(
    params=[clean, mixed, refused, pulled, lambda: summary_of([])], ids=["clean", "mixed", "refused", "pulled", "empty"]
)
def source(request: pytest.FixtureRequest) -> str:
    """The page of each kind of delivery."""
    return page_of(request.param())


@pytest.fixture
def page(source: str) -> Page:
    return Page(source)


def test_the_page_needs_no_network_and_no_script(source: str, page: Page) -> None:
    assert not re.search(r"https?:|//[a-z]|url\(|@import", source, re.IGNORECASE)
    assert not page.of("script") + page.of("link") + page.of("img") + page.of("iframe") + page.of("form")
    targets = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "style")]
        assert "href" not in attributes or attributes["href"].removeprefix("#") in targets
    (policy,) = (m["content"] for m in page.of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_the_page_of_a_pull_names_collections_and_records_only() -> None:
    text = Page(page_of(pulled())).text
    assert "Read as OneRoster 1.1 API" in text
    assert "record 4" in text
    assert "Rows by collection" in text
    assert not re.search(r"\.csv|\bfiles?\b|\blines?\b|spreadsheet|AutoSend", text)


def test_the_page_says_its_language_and_fits_a_phone_and_paper(source: str, page: Page) -> None:
    assert page.of("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.of("meta")
    assert "@media print" in source
    assert "prefers-color-scheme: dark" in source


def test_there_is_one_main_heading_and_no_level_is_left_out(page: Page) -> None:
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_ids_are_given_once_and_sections_are_named_by_their_headings(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(section["aria-labelledby"] in ids for section in page.of("section"))


def test_every_table_has_a_caption_and_every_header_cell_a_scope(page: Page) -> None:
    assert len(page.of("caption")) == len(page.of("table"))
    assert all(cell.get("scope") in ("col", "row") for cell in page.of("th"))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.of("svg"))


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "link", "good", "fair", "bad", "calm"])
def test_every_text_stands_out_from_what_is_behind_it(scheme: int, ink: str) -> None:
    colours = dict(
        re.findall(r"--(\w+): (#\w{6})", re.findall(r":root \{(.*?)\}", page_of(clean()), re.DOTALL)[scheme])
    )
    for ground in ("paper", "card"):
        light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, ground


@pytest.mark.parametrize(
    ("summary", "verdict", "step"),
    [
        (clean(), "Accepted", "What to do now: Nothing: keep sending it like this."),
        (mixed(), "Accepted, with findings", "Fix what rejects rows (2 causes), beginning with the first"),
        (refused(), "Refused", "What was delivered and accepted before stays in use."),
    ],
)
def test_the_verdict_is_told_in_words_with_what_to_do(summary: Summary, verdict: str, step: str) -> None:
    page = Page(page_of(summary))
    assert page.headings[0] == (1, "Maple Valley School District")
    assert page.headings[1][0] == 2
    assert page.headings[1][1].strip().endswith(verdict)
    assert step in page.text


def test_the_delivery_and_the_time_are_told() -> None:
    text = Page(page_of(clean())).text
    assert "Delivery 20261124T080002Z-3fa9c1d2 Checked 24 November 2026, 08:05 UTC" in text
    assert "Delivery 2026" not in Page(page_of(clean(), delivery=None)).text


def test_causes_lead_with_lines_reach_values_and_what_is_known_of_systems() -> None:
    text = Page(page_of(mixed())).text
    first, second = (
        text.index("The value is missing rejects the row"),
        text.index("The value is none of the standard's"),
    )
    assert text.index("What to fix first") < first < second < text.index("Worth fixing as well")
    assert "orgs.csv, sourcedId line 4 150 findings elsewhere come from this. How to fix it: Fill it in." in text
    assert "The standard's values: administrator, aide," in text
    assert "30 rows: lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 18 more" in text
    assert HINTS["email-doubled"][0] in text


def test_what_follows_from_a_cause_stands_behind_it_and_points_back() -> None:
    text = Page(page_of(mixed())).text
    follows = text.index("What follows from these")
    assert text.index("Worth fixing as well") < follows < text.index("Rows by file")
    assert "150 findings, " in text[text.index("Every finding") :]
    assert "Because of orgs.csv, line 4: line 2 cls-2 line 3 cls-3" in text


def test_what_is_not_listed_is_counted() -> None:
    text = Page(page_of(mixed())).text
    assert "Only the first 100 are listed; 50 more are like them." in text
    assert "Of each kind at most the first 100 are listed; the numbers are the true ones." in text
    whole = Page(page_of(summary_of([Finding("grade-form", "warning", "users.csv", 2, "grades")]))).text
    assert "are listed" not in whole


def test_information_comes_last() -> None:
    headings = [text for level, text in Page(page_of(mixed())).headings if level == 2]
    assert headings[-2:] == ["For information", "What is never stored"]


def test_rows_are_told_by_file_and_against_the_delivery_before() -> None:
    page = Page(page_of(mixed()))
    assert "orgs.csv 5 4 1 users.csv 1,200 1,199 1" in page.text
    assert "classes.csv 250 100 −150 (−60.0 %)" in page.text
    assert "users.csv 1,000 1,199 +199 (+19.9 %)" in page.text
    widths = [float(r["width"]) for r in page.of("rect") if r["class"] == "now"][1:]
    assert widths == [288.0, 360.0, 144.0]  # orgs 4 of 5, users the longer, classes 100 of 250


def test_a_refused_delivery_and_a_first_one_are_compared_with_nothing() -> None:
    assert not Page(page_of(refused())).of("svg")
    assert not Page(page_of(summary_of([]))).of("svg")


def test_a_hostile_file_name_is_text_and_nothing_else() -> None:
    source = page_of(mixed())
    assert "&lt;img src=&#34;x&#34; onerror=alert(1)&gt;" in source
    assert not Page(source).of("img")
    assert not {c for c in source if not c.isprintable() and c != "\n"}


def test_a_hostile_title_is_text_too() -> None:
    source = html("</title><script>alert(1)</script>", clean(), made_at=AT)
    assert not Page(source).of("script")


def test_nothing_of_a_person_is_on_the_page() -> None:
    source = page_of(mixed())
    assert source.count("<code>(masked)</code>") == len(PEOPLE)
    assert not [person for person in PEOPLE if person in source]


def test_the_same_delivery_gives_the_same_page() -> None:
    assert page_of(mixed()) == page_of(mixed())


def test_what_is_known_of_systems_is_about_rules_that_there_are() -> None:
    assert {rule.partition(" ")[0] for rule in HINTS} <= RULES.keys()


@pytest.mark.parametrize(("column", "told"), [("userSourcedId", True), ("schoolSourcedId", False)])
def test_what_is_known_of_people_is_not_told_of_schools(column: str, told: bool) -> None:
    text = Page(page_of(summary_of([Finding("reference-nowhere", "error", "enrollments.csv", 2, column)]))).text
    assert "PowerSchool AutoSend" in text
    assert ("Infinite Campus" in text) is told
