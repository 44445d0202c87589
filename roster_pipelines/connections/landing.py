"""Land a delivery: the files as they came, hashed, in the lake, with a receipt that is written last."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from shutil import copyfile

from roster_pipelines.lake import Lake

RECEIPT = "receipt.json"


@dataclass(frozen=True)
class LandedFile:
    """One file of a delivery."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What one delivery consists of.

    Attributes:
        delivery_id: Time of landing and content, as `20261123T211502Z-3fa9c1d2`.
        fingerprint: Hash of the files' names and contents: equal for equal deliveries.
        landed_at: When, in UTC.
        files: What is kept, by the standard's names.
        taken: The names as delivered.
        notes: Rule id by file name, for what a person should be told.
    """

    delivery_id: str
    fingerprint: str
    landed_at: datetime
    files: tuple[LandedFile, ...]
    taken: tuple[str, ...]
    notes: dict[str, str]

    def json(self) -> str:
        """Write the receipt as JSON."""
        return json.dumps(asdict(self), default=str, indent=1)


def receipt(files: Mapping[str, Path], taken: tuple[str, ...], notes: dict[str, str], now: datetime) -> Receipt:
    """Hash a delivery's files and write its receipt.

    Args:
        files: Path by the standard's name; may be empty where nothing could be taken.
        taken: The names as delivered.
        notes: Rule id by file name.
        now: The time, in UTC.
    """
    landed = tuple(LandedFile(name, path.stat().st_size, _sha256(path)) for name, path in sorted(files.items()))
    content = "\n".join(f"{file.sha256} {file.name}" for file in landed) or f"{taken} {now}"
    fingerprint = hashlib.sha256(content.encode()).hexdigest()
    return Receipt(f"{now:%Y%m%dT%H%M%SZ}-{fingerprint[:8]}", fingerprint, now, landed, taken, notes)


def land(lake: Lake, district: str, files: Mapping[str, Path], written: Receipt) -> None:
    """Copy a delivery's files into the lake, the receipt last."""
    folder = lake.delivery(district, written.delivery_id)
    for name, path in files.items():
        with lake.writing(folder / name) as local:
            copyfile(path, local)
    with lake.writing(folder / RECEIPT) as local:
        local.write_text(written.json(), "utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
