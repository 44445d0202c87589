"""The PostgreSQL database."""

import dagster as dg
from pydantic import PrivateAttr
from sqlalchemy.engine import Engine

from roster_pipelines.platform.database import engine_for


class DatabaseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Our tables and the vendor's.

    Attributes:
        url: As `ROSTER_DATABASE_URL`.
    """

    url: str
    _engine: Engine | None = PrivateAttr(default=None)

    @property
    def engine(self) -> Engine:
        """The engine, made at its first use."""
        if self._engine is None:
            self._engine = engine_for(self.url)
        return self._engine

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Close the connections when the run or the tick ends."""
        if self._engine is not None:
            self._engine.dispose()
