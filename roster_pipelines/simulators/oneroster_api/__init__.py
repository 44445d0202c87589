"""A district's data as the API of ClassLink, Infinite Campus or PowerSchool: strict, and as bad as one wants."""

from roster_pipelines.simulators.oneroster_api.habits import Habits
from roster_pipelines.simulators.oneroster_api.server import ApiServer
from roster_pipelines.simulators.oneroster_api.shapes import NEVER_LANDS

__all__ = ["NEVER_LANDS", "ApiServer", "Habits"]
