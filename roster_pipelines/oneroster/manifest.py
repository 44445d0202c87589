"""The manifest of a OneRoster CSV delivery: which version, and in which mode each file comes."""

import csv
from dataclasses import dataclass
from typing import Literal, get_args

Mode = Literal["absent", "bulk", "delta"]


@dataclass(frozen=True)
class Manifest:
    """What `manifest.csv` declares.

    Attributes:
        version: The value of `oneroster.version`, blank where it is missing.
        modes: Mode by table name, for every `file.<name>` property with a legal value.
        unreadable: Names of the `file.<name>` properties whose value is none of absent, bulk and delta.
    """

    version: str
    modes: dict[str, Mode]
    unreadable: tuple[str, ...] = ()


NO_MANIFEST = Manifest(version="1.1", modes={})
"""Without a manifest, what is there is read as OneRoster 1.1 in bulk."""


def parse(text: str) -> Manifest:
    """Read a manifest's text.

    Row order does not matter and unknown properties are passed over (the CSV binding's tolerance); values are
    compared without case, as spreadsheets and exporters change it.

    Args:
        text: The file's content, decoded.

    Returns:
        What it declares; a text that is no manifest gives one with a blank version.
    """
    version, modes, unreadable = "", dict[str, Mode](), list[str]()
    legal = {mode: mode for mode in get_args(Mode)}
    for line in text.splitlines():
        row = _row(line)
        if len(row) < 2:
            continue
        name, value = row[0].strip(), row[1].strip().lower()
        if name == "oneroster.version":
            version = value
        elif name.startswith("file."):
            table = name.removeprefix("file.")
            if value in legal:
                modes[table] = legal[value]
            else:
                unreadable.append(table)
    return Manifest(version, modes, tuple(unreadable))


def _row(line: str) -> list[str]:
    """Read one line by itself: a quote that is not closed must not swallow the properties below it."""
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []
