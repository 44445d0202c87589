"""The header-only template of each file of a delivery, and the manifest that goes with them. Pure: text out."""

from collections.abc import Mapping

from roster_pipelines.oneroster.shape import Table, Version
from roster_pipelines.oneroster.standard import GRADEBOOK, NEVER_STORED, tables

# The standard's own order of the manifest's properties, which is almost that of the alphabet.
_ORDER = (
    "academicSessions", "categories", "classes", "classResources", "courses", "courseResources", "demographics",
    "enrollments", "lineItemLearningObjectiveIds", "lineItems", "lineItemScoreScales", "orgs", "resources",
    "resultLearningObjectiveIds", "results", "resultScoreScales", "roles", "scoreScales", "userProfiles",
    "userResources", "users",
)  # fmt: skip


def data_files(version: Version) -> list[str]:
    """Name every data file of a version, without `.csv`, in the order in which a manifest names them."""
    gradebook = {name for name, only in GRADEBOOK.items() if only in (None, version)}
    return [name for name in _ORDER if name in tables(version) or name in gradebook or name == NEVER_STORED]


def header(table: Table, version: Version) -> list[str]:
    """Name the columns that a file must have, in the standard's order."""
    return [column.name for column in table.of(version) if not column.first_release_only]


def templates(version: Version) -> dict[str, str]:
    """Write the template of every file that is read, and a manifest that declares just those as bulk.

    Lines end in CRLF, as RFC 4180 and the standard's own examples have it.

    Args:
        version: The OneRoster version.

    Returns:
        Content by file name, the manifest first.
    """
    read = tables(version)
    bulk = dict.fromkeys(read, "bulk")
    return {"manifest.csv": manifest(version, bulk)} | {
        table.file: _csv([header(table, version)]) for table in read.values()
    }


def manifest(version: Version, modes: Mapping[str, str], system: str = "") -> str:
    """Write a manifest.

    Args:
        version: The OneRoster version.
        modes: `bulk` or `delta` by table; all others are absent.
        system: The name of the system that the data come from.
    """
    rows = [
        ("propertyName", "value"),
        ("manifest.version", "1.0"),
        ("oneroster.version", version),
        *((f"file.{name}", modes.get(name, "absent")) for name in data_files(version)),
        ("source.systemName", system),
        ("source.systemCode", ""),
    ]
    return _csv(rows)


def _csv(rows: list[tuple[str, str]] | list[list[str]]) -> str:
    # Nothing here needs a quote: names, versions and modes only.
    return "".join(f"{','.join(row)}\r\n" for row in rows)
