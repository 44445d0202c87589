"""What a check has told, by its steps' names."""

from collections.abc import Sequence

from roster_pipelines.connections.check import Step, steps
from roster_pipelines.district import District
from roster_pipelines_tests.connections.api import NOW


def checked(district: District) -> list[Step]:
    return list(steps(district, NOW))


def states(found: Sequence[Step]) -> dict[str, str]:
    return {step.name: step.state for step in found}


def failed(found: Sequence[Step]) -> Step:
    """The one step that failed."""
    (step,) = [step for step in found if step.state == "failed"]
    return step


def by_name(found: Sequence[Step], name: str) -> Step:
    (step,) = [step for step in found if step.name == name]
    return step
