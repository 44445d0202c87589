"""Districts that are pulled from an API, for tests in which nobody connects."""

from roster_pipelines.district_connection import PowerSchoolConnection, PullTimes


def api(times: PullTimes | None = None) -> PowerSchoolConnection:
    """A connection, with when it is pulled."""
    return PowerSchoolConnection(
        kind="powerschool",
        base_url="https://sis.example",
        client_id="an-id",
        client_secret="env:NOBODY_HAS_SET_THIS",
        pull=times or PullTimes(),
    )
