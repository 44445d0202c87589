"""What the environment says: where things are, which needs no set-up, and who the plugin for PowerSchool is from."""

import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from roster_pipelines.errors import CallSomebody

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class PluginSettings:
    """What the vendor says of its plugin for PowerSchool; read by `roster powerschool-plugin` only.

    Attributes:
        name: `ROSTER_PLUGIN_NAME`: as administrators see it among their plugins.
        version: `ROSTER_PLUGIN_VERSION`; default `1.0`.
        publisher: `ROSTER_PLUGIN_PUBLISHER`: the vendor.
        email: `ROSTER_PLUGIN_EMAIL`: whom administrators write to.
        phone: `ROSTER_PLUGIN_PHONE`: whom they call; may be left out.
    """

    name: str = ""
    version: str = "1.0"
    publisher: str = ""
    email: str = ""
    phone: str = ""

    def environment(self) -> dict[str, str]:
        """Write the settings down as variables."""
        return {_variable(name): value for name, value in asdict(self).items()}

    @classmethod
    def read(cls) -> Self:
        """Read the environment; an empty variable is as good as none."""
        said = {field.name: os.environ.get(_variable(field.name)) for field in fields(cls)}
        return cls(**{name: value for name, value in said.items() if value})


def _variable(name: str) -> str:
    return f"ROSTER_PLUGIN_{name.upper()}"


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    Attributes:
        data: `ROSTER_DATA`: the folder of the embedded database, the lake and the logs; default `data`.
        lake: `ROSTER_LAKE`: deliveries, staging databases and plans; default `lake` in the data folder.
        database_url: `ROSTER_DATABASE_URL`; None: the embedded server in the data folder.
        project: The folder with `dagster.yaml`.
        plugin: `ROSTER_PLUGIN_...`: who the plugin for PowerSchool is from.
    """

    data: Path
    lake: str
    database_url: str | None
    project: Path = PROJECT
    plugin: PluginSettings = PluginSettings()

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
            **self.plugin.environment(),
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
    return Settings(data, lake, os.environ.get("ROSTER_DATABASE_URL") or None, plugin=PluginSettings.read())
