"""The date."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import dagster as dg


class Clock(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What day it is.

    Attributes:
        pinned: A date as YYYY-MM-DD to work out a past day again; blank: today.
    """

    pinned: str = ""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def today(self, time_zone: str) -> date:
        """The date in a time zone."""
        return date.fromisoformat(self.pinned) if self.pinned else self.now().astimezone(ZoneInfo(time_zone)).date()
