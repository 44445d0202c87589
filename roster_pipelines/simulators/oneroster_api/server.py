"""A district's OneRoster API on a loopback port, in a thread: as ClassLink, Infinite Campus or PowerSchool has it."""

import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from roster_pipelines.oneroster.shape import Version
from roster_pipelines.simulators.oneroster_api.classlink import ClassLink
from roster_pipelines.simulators.oneroster_api.data import Data
from roster_pipelines.simulators.oneroster_api.desk import Desk, Seen
from roster_pipelines.simulators.oneroster_api.habits import Habits, ProviderName
from roster_pipelines.simulators.oneroster_api.infinite_campus import InfiniteCampus
from roster_pipelines.simulators.oneroster_api.library import Library
from roster_pipelines.simulators.oneroster_api.powerschool import PowerSchool
from roster_pipelines.simulators.oneroster_api.vault import Vault

_PROVIDERS: dict[ProviderName, type[ClassLink | InfiniteCampus | PowerSchool]] = {
    "classlink": ClassLink,
    "infinite_campus": InfiniteCampus,
    "powerschool": PowerSchool,
}
_ELSEWHERE = "https://another-host.example/ims/oneroster/v1p1"


class ApiServer:
    """An API that runs until it is stopped, or for the length of a ``with`` block.

    Args:
        folder: A OneRoster 1.1 CSV delivery, read once.
        provider: Whose API.
        habits: What it does besides.
        port: The port to listen on. 0 takes a free one, which then is in ``port`` and is kept by a restart.
        version: The OneRoster version that is served.
        secrets: A folder for the server's secrets, so that they outlive the process. Without it they are fresh ones,
            in a folder that is removed at the end.

    Raises:
        ValueError: The provider does not serve the version.
        FileNotFoundError: The folder holds no delivery.
    """

    def __init__(
        self,
        folder: Path,
        provider: ProviderName,
        habits: Habits = Habits(),  # noqa: B008 - it is frozen
        *,
        port: int = 0,
        version: Version = "1.1",
        secrets: Path | None = None,
    ) -> None:
        if version == "1.2" and provider != "infinite_campus":
            raise ValueError(f"{provider} serves OneRoster 1.1 only")
        self.port = port
        self._version = version
        self._vault = Vault(secrets)
        self._provider = _PROVIDERS[provider](version, self._vault)
        self._provider.habits = habits
        self._desk = Desk(self._provider)
        self._data = Data.of(folder)
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def habits(self) -> Habits:
        """What the server does; others may be put in their place while it runs."""
        return self._provider.habits

    @habits.setter
    def habits(self, habits: Habits) -> None:
        changed = habits.of_records() != self.habits.of_records()
        self._provider.habits = habits
        if changed and self._server:
            self._render()
        self._desk.begin()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret and token so far."""
        return tuple(self._vault.issued)

    @property
    def requests(self) -> list[Seen]:
        """The requests that were answered, in the order of their answers."""
        return list(self._desk.seen)

    @property
    def most_parallel(self) -> int:
        """How many data requests were there at once, at most."""
        return self._desk.most_parallel

    @property
    def served_seconds(self) -> float:
        """How long making answers took; latency and sending are not counted."""
        return self._desk.served_seconds

    def settings(self, **changes: object) -> dict[str, Any]:
        """Give the `connection:` of a district's record for this server, while it runs.

        Args:
            changes: Further settings, or others in their place.
        """
        return self._provider.settings() | changes

    def serve(self, folder: Path, *, at: datetime | None = None) -> None:
        """Serve the next delivery: records that differ were changed at a moment, by default this one."""
        self._data = self._data.followed_by(folder, at or datetime.now(UTC))
        if self._server:
            self._render()

    def reset(self) -> None:
        """Forget the requests, and count data requests anew."""
        self._desk.forget()
        self._desk.begin()

    def start(self) -> None:
        """Render the records and listen; return when clients can connect.

        Raises:
            OSError: The port is taken.
        """
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._provider.url = self.url
        self._vault.open()
        self._render()
        config = uvicorn.Config(
            self._desk, lifespan="off", ws="none", log_config=None, log_level="critical", access_log=False,
            server_header=False, timeout_keep_alive=60, timeout_graceful_shutdown=0,
        )  # fmt: skip
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name=f"{self._provider.name}-simulator", daemon=True
        )
        self._thread.start()
        self._server.ready.wait()

    def stop(self) -> None:
        """Cut all connections and stop listening. A server that does not run is left alone."""
        if self._server:
            self._server.should_exit = True
            self._thread.join()
            self._server = None
            self._vault.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _render(self) -> None:
        habits, provider = self.habits, self._provider
        href = self.url if habits.own_href else _ELSEWHERE
        self._desk.stock(Library(self._data, habits, provider.name, provider.style, self._version, href))


class _Server(uvicorn.Server):
    """Uvicorn, which says when it has begun."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
