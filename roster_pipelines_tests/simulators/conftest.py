"""One small district, served by each provider: servers are shared, and begin each test strict and healthy."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from roster_pipelines.simulators import districts
from roster_pipelines.simulators.districts import District
from roster_pipelines.simulators.oneroster_api import ApiServer, Habits
from roster_pipelines.simulators.oneroster_api.habits import ProviderName
from roster_pipelines_tests.simulators.caller import Caller

PROVIDERS: tuple[ProviderName, ...] = ("classlink", "infinite_campus", "powerschool")


@pytest.fixture(scope="session")
def api_district(tmp_path_factory: pytest.TempPathFactory) -> District:
    """26 students in two schools, with a resource; read it, never write into its folder."""
    return districts.generate(tmp_path_factory.mktemp("api"), students=26, resources=["lessons"])


@pytest.fixture(scope="session")
def _servers(api_district: District) -> Iterator[dict[str, ApiServer]]:
    with ExitStack() as stack:
        yield {each: stack.enter_context(ApiServer(api_district.folder, each)) for each in PROVIDERS}


def _caller(servers: dict[str, ApiServer], provider: str) -> Iterator[Caller]:
    server = servers[provider]
    server.habits = Habits()
    server.reset()
    with Caller(server) as caller:
        yield caller


@pytest.fixture(params=PROVIDERS)
def caller(request: pytest.FixtureRequest, _servers: dict[str, ApiServer]) -> Iterator[Caller]:
    """Somebody who calls each of the three."""
    yield from _caller(_servers, request.param)


@pytest.fixture
def classlink(_servers: dict[str, ApiServer]) -> Iterator[Caller]:
    yield from _caller(_servers, "classlink")


@pytest.fixture
def campus(_servers: dict[str, ApiServer]) -> Iterator[Caller]:
    yield from _caller(_servers, "infinite_campus")


@pytest.fixture
def powerschool(_servers: dict[str, ApiServer]) -> Iterator[Caller]:
    yield from _caller(_servers, "powerschool")


@pytest.fixture
def files(api_district: District) -> Path:
    """Where the district's files lie."""
    return api_district.folder
