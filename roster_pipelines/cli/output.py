"""How the command speaks: tables and lines for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from roster_pipelines.reports.places import printable

console = Console(highlight=False, soft_wrap=True)
problems = Console(stderr=True, highlight=False, soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], firm: Collection[str] = ()) -> None:
    """Print a table; numbers stand to the right, a column of single words is broken last, and a firm one never."""
    kept = [tuple(row) for row in rows]
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for position, column in enumerate(columns):
        numeric = bool(kept) and all(isinstance(row[position], int) for row in kept)
        words = all(" " not in str(row[position]) for row in kept)
        width = max((len(str(row[position])) for row in kept), default=0) if column in firm else None
        justify: Literal["left", "right"] = "right" if numeric else "left"
        shown.add_column(column, justify=justify, overflow="fold", no_wrap=words, min_width=width)
    for row in kept:
        shown.add_row(
            *("" if cell is None else escape(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row)
        )
    console.print(shown)


def as_json(value: object) -> None:
    """Print JSON, and nothing else."""
    sys.stdout.write(json.dumps(value, default=str, indent=2) + "\n")


def problem(message: str) -> None:
    """Print one clear line to standard error; a name in it cannot break it or steer the terminal."""
    problems.print(f"[red]roster:[/] {escape(printable(message))}")


@contextmanager
def working(on: str) -> Iterator[Callable[[str], None]]:
    """Show that something is being done; only on a terminal, and never among the results.

    Args:
        on: What takes long.

    Yields:
        What is to be called with each part of it that is begun.
    """
    with problems.status(escape(on)) as status:
        yield lambda part: status.update(escape(f"{on}: {part}"))
