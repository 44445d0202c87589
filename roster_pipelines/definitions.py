"""The wiring, on one page. Importing it touches no network, no file and no secret."""

from typing import Any

import dagster as dg

from roster_pipelines.assets.delivery import delivery
from roster_pipelines.assets.entitlements import entitlements
from roster_pipelines.assets.gates import gates
from roster_pipelines.assets.identities import identities
from roster_pipelines.assets.platform_tables import platform_tables
from roster_pipelines.assets.roster_plan import roster_plan
from roster_pipelines.assets.rostered_classes import rostered_classes
from roster_pipelines.assets.validated import validated
from roster_pipelines.jobs import process_delivery, refresh_entitlements
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource
from roster_pipelines.sensors.arrivals import arrivals
from roster_pipelines.sensors.pulls import pulls
from roster_pipelines.sensors.registry import registry
from roster_pipelines.sensors.sign_ins import sign_ins


def build_defs(**resources: Any) -> dg.Definitions:
    """Assemble the project.

    Args:
        resources: Resources that take the place of the usual ones: `database`, `lake`, `clock`.

    Returns:
        Fresh definitions.
    """
    return dg.Definitions(
        assets=[
            *platform_tables,
            delivery,
            validated,
            identities,
            entitlements,
            gates,
            roster_plan,
            rostered_classes,
        ],
        jobs=[process_delivery, refresh_entitlements],
        sensors=[registry, arrivals, pulls, sign_ins],
        resources={
            "database": DatabaseResource(url=dg.EnvVar("ROSTER_DATABASE_URL")),
            "lake": LakeResource(root=dg.EnvVar("ROSTER_LAKE")),
            "clock": Clock(),
            **resources,
        },
        # One run is one process: a process of its own for each stage would cost three seconds a stage.
        executor=dg.in_process_executor,
    )


defs = build_defs()
