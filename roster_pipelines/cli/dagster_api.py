"""What we ask of Dagster's webserver: its GraphQL API."""

from dataclasses import dataclass
from typing import Any

import httpx

REPOSITORY = {"repositoryLocationName": "roster_pipelines", "repositoryName": "__repository__"}


@dataclass(frozen=True)
class Run:
    """One run of a district."""

    run_id: str
    job: str
    status: str
    seconds: float | None
    trigger: str

    @property
    def ended(self) -> bool:
        """It succeeded, failed or was cancelled."""
        return self.status in ("SUCCESS", "FAILURE", "CANCELED")


class DagsterApi:
    """The API of one webserver."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=20)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def query(self, text: str, **variables: object) -> Any:
        """Run a GraphQL query and return its data."""
        answer = self._client.post("/graphql", json={"query": text, "variables": variables})
        answer.raise_for_status()
        body = answer.json()
        if body.get("errors"):
            raise httpx.HTTPError(body["errors"][0]["message"])
        return body["data"]

    def ready(self) -> bool:
        """Say whether the definitions are loaded and the daemon is alive."""
        data = self.query("""{
            instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } }
            workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename } } } }
        }""")
        daemons = data["instance"]["daemonHealth"]["allDaemonStatuses"]
        locations = data["workspaceOrError"].get("locationEntries", [])
        return all(d["healthy"] for d in daemons if d["required"]) and any(
            location["loadStatus"] == "LOADED"
            and (location["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation"
            for location in locations
        )

    def runs(self, district: str) -> list[Run]:
        """List a district's runs, oldest first."""
        data = self.query(
            """query ($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 100) { ... on Runs { results {
                runId jobName status startTime endTime tags { key value } } } } }""",
            filter={"tags": [{"key": "dagster/partition", "value": district}]},
        )
        return [
            Run(
                run["runId"],
                run["jobName"],
                run["status"],
                run["endTime"] - run["startTime"] if run["endTime"] and run["startTime"] else None,
                next((tag["value"] for tag in run["tags"] if tag["key"] == "roster/trigger"), ""),
            )
            for run in reversed(data["runsOrError"]["results"])
        ]

    def failure(self, run_id: str) -> str:
        """Read why a run failed, in its first failed step's own words."""
        data = self.query(
            """query ($id: ID!) { logsForRun(runId: $id, afterCursor: null) { ... on EventConnection { events {
                __typename ... on ExecutionStepFailureEvent { error { message } failureMetadata { description } }
                ... on RunFailureEvent { message } } } } }""",
            id=run_id,
        )
        events = data["logsForRun"].get("events", [])
        for event in events:
            if event["__typename"] == "ExecutionStepFailureEvent":
                described = (event.get("failureMetadata") or {}).get("description")
                return str(described or event["error"]["message"]).strip()
        return next((str(e["message"]) for e in events if e["__typename"] == "RunFailureEvent"), "no reason was given")
