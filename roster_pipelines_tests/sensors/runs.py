"""Runs that a sensor finds in the instance."""

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from roster_pipelines.definitions import build_defs
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource

UNDER_WAY = ["QUEUED", "NOT_STARTED", "STARTING", "STARTED", "SUSPENDED", "CANCELING"]
ENDED = ["SUCCESS", "FAILURE", "CANCELED"]


def run_of(instance: dg.DagsterInstance, district: str, status: str, **tags: str) -> None:
    """Enter a run of a district; nothing is executed."""
    definitions = build_defs(database=DatabaseResource(url="postgresql://nowhere"), lake=LakeResource(root="nowhere"))
    job = definitions.resolve_job_def("refresh_entitlements")
    where = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("roster_pipelines"), "__repository__")
    instance.create_run_for_job(
        job,
        status=status,
        tags={"dagster/partition": district, **tags},
        remote_job_origin=RemoteJobOrigin(where, job.name),  # a queued run must have one
    )
