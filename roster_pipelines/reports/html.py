"""The report of one delivery as a page of its own: one file, no scripts, nothing from the network."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.reports import places, words
from roster_pipelines.staging.summary import Summary

LINES_NAMED = 12
"""Lines that a cause names; all that are listed stand further below on the page."""
_ID_SHOWN = 64


@dataclass(frozen=True)
class Change:
    """Rows of one table of the roster, after this delivery and before it.

    Attributes:
        file: The file's name.
        now: Rows after this delivery.
        before: Rows before it.
    """

    file: str
    now: int
    before: int

    def width(self, rows: int) -> float:
        """The length of a bar, in percent of the longer of the two."""
        return round(100 * rows / max(self.now, self.before, 1), 1)

    @property
    def words(self) -> str:
        """The difference, for a person."""
        difference = self.now - self.before
        if not difference:
            return "no change"
        share = f" ({100 * difference / self.before:+,.1f} %)" if self.before else ""
        return f"{difference:+,}{share}".replace("-", "−")


def html(title: str, summary: Summary, *, delivery: str | None = None, made_at: datetime) -> str:
    """Write the page.

    Args:
        title: Whose files, or which, were checked.
        summary: What staging found.
        delivery: The delivery's id; None: the files were only checked, before they were sent.
        made_at: When they were checked, with its time zone.

    Returns:
        HTML: verdict, next step, what to fix first, rows by file and against the delivery before, every listed finding
        with its lines. It is the same for the same input, and holds no value of a person.
    """
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=title,
            delivery=delivery,
            made_at=made_at,
            summary=summary,
            nouns=words.nouns(summary),
            step=words.next_step(summary, sent=delivery is not None),
            entries=places.entries(summary),
            files=places.delivered(summary),
            total={
                what: sum(getattr(counts, what) for counts in summary.tables.values())
                for what in ("read", "accepted", "rejected")
            },
            changes=_changes(summary),
        )
    )


def _changes(summary: Summary) -> list[Change]:
    """What the delivery changes; a refused one changes nothing."""
    return [
        Change(summary.file(name), counts.roster, counts.previous)
        for name, counts in summary.tables.items()
        if name in ROSTER and counts.previous is not None and summary.verdict != "refused"
    ]


@cache
def _environment() -> Environment:
    """Set the templates up, once: to compile them takes 25 ms."""
    environment = Environment(
        loader=PackageLoader("roster_pipelines", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": lambda number: f"{number:,}",
        "amount": words.amount,
        "printable": places.printable,
        "heading": words.heading,
        "sentence": words.sentence,
        "shown_id": _shown_id,
    }
    environment.globals |= {
        "words": words,
        "allowed": places.allowed,
        "lines_named": LINES_NAMED,
    }
    return environment


def _shown_id(sourced_id: str) -> str:
    shown = places.printable(places.masked(sourced_id))
    return shown if len(shown) <= _ID_SHOWN else f"{shown[:_ID_SHOWN]}…"
