"""One tick of a sensor, with the project's own definitions and a database resource that ends with the tick."""

import dagster as dg

from roster_pipelines.definitions import build_defs
from roster_pipelines.resources.database import DatabaseResource


def tick(sensor: dg.SensorDefinition, instance: dg.DagsterInstance, url: str) -> dg.SensorResult | dg.SkipReason:
    """Evaluate a sensor; nothing of what it asks for is done."""
    resources = {"database": DatabaseResource(url=url)}
    definitions = build_defs(**resources)
    with dg.build_sensor_context(instance=instance, definitions=definitions, resources=resources) as context:
        result = sensor(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def requests(result: dg.SensorResult | dg.SkipReason) -> list[dg.RunRequest]:
    """The runs that a tick asks for."""
    return [] if isinstance(result, dg.SkipReason) else list(result.run_requests or [])
