"""Which files of a folder or a zip belong to a OneRoster delivery. Pure: names in, names out."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from roster_pipelines.oneroster.standard import IGNORED, KNOWN_FILES, NEVER_STORED

# What clients write while they upload, and what desktops leave behind.
_TEMPORARY = (".filepart", ".part", ".partial", ".tmp")
_CLUTTER = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Contents:
    """What was found among the names.

    Attributes:
        files: Delivered name by the standard's name (`users.csv`), of the files that are read.
        zips: Names that end in `.zip`.
        notes: Rule id by name, for what a person should be told of a name.
        doubled: The standard's names that more than one delivered name stands for.
    """

    files: dict[str, str]
    zips: tuple[str, ...]
    notes: dict[str, str]
    doubled: tuple[str, ...]


def passed_over(name: str) -> bool:
    """Say whether a name is no part of any delivery: uploads under way, hidden files, a desktop's leftovers."""
    path = PurePosixPath(name)
    return (
        path.name.startswith(".")
        or path.name.lower() in _CLUTTER
        or path.name.lower().endswith(_TEMPORARY)
        or "__MACOSX" in path.parts
    )


def concerns(name: str) -> bool:
    """Say whether a name is of a delivery or of one that is still on its way up."""
    base = PurePosixPath(name).name.lower()
    return base in KNOWN_FILES or base.endswith((".zip", *_TEMPORARY)) or (base.startswith(".") and "." in base[1:])


def contents(names: Iterable[str]) -> Contents:
    """Sort out the names of a folder or of a zip's entries; a zip's one enclosing folder does not matter."""
    files: dict[str, str] = {}
    zips: list[str] = []
    notes: dict[str, str] = {}
    doubled: list[str] = []
    never = (f"{NEVER_STORED}.csv", *(f"{name}.csv" for name in IGNORED))
    for name in sorted(names):
        if passed_over(name):
            continue
        base = PurePosixPath(name).name
        standard = KNOWN_FILES.get(base.lower())
        if base.lower().endswith(".zip"):
            zips.append(name)
        elif standard is None:
            notes[base] = "file-unknown"
        elif standard in never:
            notes[standard] = "file-never-stored" if standard == f"{NEVER_STORED}.csv" else "file-not-used"
        elif standard in files:
            doubled.append(standard)
        else:
            files[standard] = name
            if base != standard:
                notes[standard] = "file-name-case"
    return Contents(files, tuple(zips), notes, tuple(doubled))
