"""Folders of files to gather, and one small district served by each provider, to be pulled."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from roster_pipelines.connections import http
from roster_pipelines.simulators import districts
from roster_pipelines.simulators.oneroster_api import ApiServer, Habits
from roster_pipelines.simulators.oneroster_api.habits import ProviderName
from roster_pipelines_tests.connections.api import Api

PROVIDERS: tuple[ProviderName, ...] = ("classlink", "infinite_campus", "powerschool")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """An empty folder for what is fetched and unpacked."""
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def api_district(tmp_path_factory: pytest.TempPathFactory) -> districts.District:
    """25 students in two schools, with a resource; read it, never write into its folder."""
    return districts.generate(tmp_path_factory.mktemp("api"), students=25, resources=["lessons"])


@pytest.fixture(scope="session")
def _servers(api_district: districts.District) -> Iterator[dict[str, ApiServer]]:
    with ExitStack() as stack:
        yield {each: stack.enter_context(ApiServer(api_district.folder, each)) for each in PROVIDERS}


@pytest.fixture(scope="session")
def _authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch, _authorities: ssl.SSLContext) -> None:
    """What is tried again is tried at once; the list of authorities, which takes longer than a page, is read once."""
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.0001)
    monkeypatch.setattr(http, "LONGEST_PAUSE", 0.001)
    monkeypatch.setattr("httpx._transports.default.create_ssl_context", lambda *_, **__: _authorities)


def _api(server: ApiServer, district: districts.District, folder: Path) -> Api:
    """Servers are shared, and begin each test strict and healthy."""
    server.habits = Habits()
    server.reset()
    return Api(server, district.folder, folder)


@pytest.fixture(params=PROVIDERS)
def api(
    request: pytest.FixtureRequest,
    _servers: dict[str, ApiServer],
    api_district: districts.District,
    tmp_path: Path,
    _at_once: None,
) -> Api:
    """Each of the three."""
    return _api(_servers[request.param], api_district, tmp_path)


@pytest.fixture
def classlink(_servers: dict[str, ApiServer], api_district: districts.District, tmp_path: Path, _at_once: None) -> Api:
    return _api(_servers["classlink"], api_district, tmp_path)


@pytest.fixture
def campus(_servers: dict[str, ApiServer], api_district: districts.District, tmp_path: Path, _at_once: None) -> Api:
    return _api(_servers["infinite_campus"], api_district, tmp_path)


@pytest.fixture
def powerschool(
    _servers: dict[str, ApiServer], api_district: districts.District, tmp_path: Path, _at_once: None
) -> Api:
    return _api(_servers["powerschool"], api_district, tmp_path)
