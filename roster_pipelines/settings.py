"""Where things are: four environment variables, each with a default that needs no set-up."""

import os
from dataclasses import dataclass
from pathlib import Path

from roster_pipelines.errors import CallSomebody

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    Attributes:
        data: `ROSTER_DATA`: the folder of the embedded database, the lake and the logs; default `data`.
        lake: `ROSTER_LAKE`: deliveries, staging databases and plans; default `lake` in the data folder.
        database_url: `ROSTER_DATABASE_URL`; None: the embedded server in the data folder.
        project: The folder with `dagster.yaml`.
    """

    data: Path
    lake: str
    database_url: str | None
    project: Path = PROJECT

    @property
    def embedded_database(self) -> Path:
        """The embedded server's folder."""
        return self.data / "postgres"

    @property
    def logs(self) -> Path:
        """Where Dagster's processes write what they print."""
        return self.data / "logs"

    def environment(self, database_url: str) -> dict[str, str]:
        """Write the settings down for a Dagster process.

        Args:
            database_url: The database that is really used.
        """
        return {
            **os.environ,
            "DAGSTER_HOME": str(self.project),
            "ROSTER_DATABASE_URL": database_url,
            "ROSTER_LAKE": self.lake,
            "ROSTER_DATA": str(self.data),
            "ROSTER_DAGSTER_FILES": str(self.data / "dagster"),
            # An exception that is not ours may carry a value of a person: Dagster then stores only its place.
            "DAGSTER_REDACT_USER_CODE_ERRORS": "1",
        }


def settings() -> Settings:
    """Read the environment.

    Raises:
        CallSomebody: The package does not stand in its project's folder.
    """
    if not (PROJECT / "dagster.yaml").exists():
        raise CallSomebody(
            "dagster.yaml is not beside the package", "run roster from a checkout: pip install --editable ."
        )
    data = Path(os.environ.get("ROSTER_DATA") or PROJECT / "data").resolve()
    lake = os.environ.get("ROSTER_LAKE") or str(data / "lake")
    if "://" not in lake:
        lake = str(Path(lake).resolve())
    return Settings(data, lake, os.environ.get("ROSTER_DATABASE_URL") or None)
