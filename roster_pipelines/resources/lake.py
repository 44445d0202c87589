"""The lake."""

import dagster as dg

from roster_pipelines.lake import Lake


class LakeResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Deliveries, staging databases and plans.

    Attributes:
        root: As `ROSTER_LAKE`: a folder, or a URL that universal-pathlib knows.
    """

    root: str

    @property
    def lake(self) -> Lake:
        """The lake itself."""
        return Lake(self.root)
