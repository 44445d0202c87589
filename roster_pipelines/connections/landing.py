"""Land a delivery: the files as they came, hashed, in the lake, with a receipt that is written last."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from shutil import copyfile

from roster_pipelines.connections.gather import Gathered, Pull, sha256
from roster_pipelines.errors import TryAgain
from roster_pipelines.findings import Finding
from roster_pipelines.lake import Lake

RECEIPT = "receipt.json"
FINDING_KEYS = ("rule", "severity", "file", "line", "column")
"""What a receipt tells of a finding: those of the intake have neither an id nor a cause."""


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
        fingerprint: Hash of the files' names and contents, or of what was refused: equal for equal deliveries.
        landed_at: When, in UTC.
        files: What is kept, by the standard's names.
        taken: The names as delivered.
        findings: What was found of the names and the zip.
        size: The bytes of what was fetched as it was delivered, or of what was pulled as it is kept.
        pull: How it was pulled; None for one that was dropped.
    """

    delivery_id: str
    fingerprint: str
    landed_at: datetime
    files: tuple[LandedFile, ...]
    taken: tuple[str, ...]
    findings: tuple[Finding, ...]
    size: int = 0
    pull: Pull | None = None

    def json(self) -> str:
        """Write the receipt as JSON."""
        findings = [{key: getattr(finding, key) for key in FINDING_KEYS} for finding in self.findings]
        told = {**asdict(self), "findings": findings, "pull": self.pull and self.pull.json()}
        return json.dumps(told, default=str, indent=1)


def receipt(gathered: Gathered, now: datetime) -> Receipt:
    """Hash a delivery's files and write its receipt.

    Args:
        gathered: The delivery; a refused one has no files, and is known by its zip, or else by what was found.
        now: The time, in UTC.

    Raises:
        TryAgain: The local disk gives back other bytes than were received.
    """
    landed = tuple(LandedFile(name, path.stat().st_size, sha256(path)) for name, path in sorted(gathered.files.items()))
    for file in landed:
        if gathered.came.get(file.name, file.sha256) != file.sha256:
            raise TryAgain(f"the copy of {file.name} is not what came", "look at this machine's disk")
    content = "\n".join(f"{file.sha256} {file.name}" for file in landed) or gathered.refused or _told(gathered)
    fingerprint = hashlib.sha256(content.encode()).hexdigest()
    delivery_id = f"{now:%Y%m%dT%H%M%SZ}-{fingerprint[:8]}"
    size = gathered.size or sum(file.size for file in landed)
    return Receipt(delivery_id, fingerprint, now, landed, gathered.taken, gathered.findings, size, gathered.pull)


def _told(gathered: Gathered) -> str:
    return json.dumps([gathered.taken, [(finding.rule, finding.file) for finding in gathered.findings]])


def land(lake: Lake, district: str, files: Mapping[str, Path], written: Receipt) -> None:
    """Copy a delivery's files into the lake, the receipt last."""
    folder = lake.delivery(district, written.delivery_id)
    for name, path in files.items():
        with lake.writing(folder / name) as local:
            copyfile(path, local)
    with lake.writing(folder / RECEIPT) as local:
        local.write_text(written.json(), "utf-8")
