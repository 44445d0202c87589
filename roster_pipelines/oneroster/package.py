"""Which files of a folder or a zip belong to a OneRoster delivery. Pure: names in, names and findings out."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from roster_pipelines.findings import Finding
from roster_pipelines.oneroster.standard import GRADEBOOK, KNOWN_FILES, NEVER_STORED

UNKNOWN_NAMED = 100
"""Files that are none of OneRoster's and are still named; more of them are only counted."""
SHOWN_CHARACTERS = 60

_NOT_READ = {f"{NEVER_STORED}.csv": "file-never-stored", **{f"{name}.csv": "file-not-used" for name in GRADEBOOK}}

# What clients write while they upload, and what desktops leave behind.
_TEMPORARY = (".filepart", ".part", ".partial", ".tmp")
_CLUTTER = {"thumbs.db", "desktop.ini"}
_HIDDEN = (".", "~$")

# `users_20220301`, `users-2022-03-01`, `Users (1)`, `users_20220301T0500Z`, `users.csv.csv`, in lower case.
_SUFFIXED = re.compile(r"([a-z]+)(?:[ _.-]|\d|\(\d+\)|(?<=\d)[tz])*?(?:\.csv)+")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Contents:
    """What was found among the names.

    Attributes:
        files: Delivered name by the standard's name (`users.csv`), of the files that are read.
        zips: Names that end in `.zip`.
        findings: What a person should be told of the names; one that is fatal where two stand for one file.
    """

    files: dict[str, str]
    zips: tuple[str, ...]
    findings: tuple[Finding, ...]


def is_read(standard: str) -> bool:
    """Say whether a file, by the standard's name, is read where it is delivered."""
    return standard in KNOWN_FILES.values() and standard not in _NOT_READ


def passed_over(name: str) -> bool:
    """Say whether a name is no part of any delivery: uploads under way, hidden files, a desktop's leftovers."""
    base = _base(name).lower()
    return base.startswith(_HIDDEN) or base in _CLUTTER or base.endswith(_TEMPORARY) or "__MACOSX" in _path(name).parts


def concerns(name: str) -> bool:
    """Say whether a name is of a delivery or of one that is still on its way up."""
    base = _base(name).lower()
    return (
        _standard(base) is not None
        or base.endswith((".zip", *_TEMPORARY))
        or (base.startswith(".") and "." in base[1:])
    )


def leads_out(name: str) -> bool:
    """Say whether a path in a zip is absolute or climbs out of the zip."""
    path = _path(name)
    return path.is_absolute() or ".." in path.parts or _DRIVE.match(name) is not None


def in_folder(name: str) -> bool:
    """Say whether a path in a zip is of a file in a folder."""
    return len(_path(name).parts) > 1


def shown(name: str, otherwise: str = "(a file)") -> str:
    """Write a delivered name for a report: no folders, not too long, and no e-mail address.

    Args:
        name: The name as delivered.
        otherwise: What to write in place of a name with an `@` in it.
    """
    base = "".join(character if character.isprintable() else "?" for character in _base(name))
    if "@" in base:
        return otherwise
    return base if len(base) <= SHOWN_CHARACTERS else base[: SHOWN_CHARACTERS - 1] + "…"


def contents(names: Iterable[str]) -> Contents:
    """Sort out the names of a folder or of a zip's entries; the folders around the files do not matter.

    A name in the wrong case, or with a date or a number behind it, is taken for the standard's (`file-name`).
    """
    found: dict[str, list[str]] = defaultdict(list)
    zips: list[str] = []
    unknown: list[Finding] = []
    for name in sorted(names):
        if passed_over(name):
            continue
        base = _base(name)
        standard = _standard(base.lower())
        if base.lower().endswith(".zip"):
            zips.append(name)
        elif standard is not None:
            found[standard].append(name)
        else:
            named = shown(name) if len(unknown) < UNKNOWN_NAMED else shown("@")
            unknown.append(Finding("file-unknown", "warning", named))
    files = {standard: several[0] for standard, several in found.items() if is_read(standard)}
    told = [finding for standard, several in found.items() if (finding := _of_name(standard, several)) is not None]
    return Contents(files, tuple(zips), (*told, *unknown))


def _of_name(standard: str, delivered: list[str]) -> Finding | None:
    if standard in _NOT_READ:
        return Finding(_NOT_READ[standard], "info", standard)
    if len(delivered) > 1:
        return Finding("file-doubled", "fatal", standard)
    if _base(delivered[0]) != standard:
        return Finding("file-name", "warning", standard)
    return None


def _standard(base: str) -> str | None:
    """The standard's name that a lower-case name stands for."""
    suffixed = _SUFFIXED.fullmatch(base)
    return KNOWN_FILES.get(f"{suffixed[1]}.csv") if suffixed else None


def _path(name: str) -> PurePosixPath:
    # Some of Windows' tools write backslashes into zips.
    return PurePosixPath(name.replace("\\", "/"))


def _base(name: str) -> str:
    return _path(name).name
