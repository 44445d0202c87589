"""The demo's districts, one for each kind of connection, and the servers that their data come from.

`roster up` serves them too, for as long as their folders are there.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Engine

from roster_pipelines.district import District, SignIn, Terms
from roster_pipelines.district_connection import PullTimes, SftpConnection
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import registry
from roster_pipelines.settings import Settings

Kind = Literal["sftp", "classlink", "infinite_campus", "powerschool"]
SFTP_STUDENTS, API_STUDENTS = 600, 300


@dataclass(frozen=True)
class Player:
    """An invented district: how its data come, and where it is."""

    kind: Kind
    name: str
    title: str
    time_zone: str
    seed: int


PLAYERS = (
    Player("sftp", "maple-valley", "Maple Valley School District (invented)", "America/Los_Angeles", 1),
    Player("classlink", "birch-lake", "Birch Lake School District (invented)", "America/Chicago", 2),
    Player("infinite_campus", "cedar-hills", "Cedar Hills School District (invented)", "America/Denver", 3),
    Player("powerschool", "aspen-grove", "Aspen Grove School District (invented)", "America/New_York", 4),
)


@dataclass(frozen=True)
class Cast:
    """A demo district that was made: its key, its files, its teachers' sourcedIds."""

    player: Player
    district: str
    files: Path
    counts: Mapping[str, int]
    teachers: tuple[str, ...]


def new_districts(of: Settings, engine: Engine) -> list[Cast]:
    """Invent a district for each kind of connection, under names that no earlier demo has used."""
    with engine.connect() as connection:
        taken = set(registry.keys(connection))
    number = next(n for n in range(1, len(taken) + 2) if not taken & {_name(player, n) for player in PLAYERS})
    return [_cast(of, player, _name(player, number)) for player in PLAYERS]


def _cast(of: Settings, player: Player, district: str) -> Cast:
    from roster_pipelines.simulators import districts

    files = _folder(of, "files", district)
    made = districts.generate(
        files,
        students=SFTP_STUDENTS if player.kind == "sftp" else API_STUDENTS,
        seed=player.seed,
        school_year_start=districts.school_year(date.today()),  # noqa: DTZ011 - any day around today will do
        email_domain=f"{player.name}.example",
    )
    _folder(of, player.kind, district).mkdir(parents=True, exist_ok=True)
    return Cast(player, district, files, made.counts, tuple(made.teachers))


@contextmanager
def playground(of: Settings, engine: Engine) -> Iterator[Path | None]:
    """Serve the demo districts by sFTP and as APIs, and keep their records pointing there.

    Args:
        of: The settings.
        engine: The database with the registry.

    Yields:
        The sFTP server's folder with one sub-folder per district; None where no demo was ever played, or the database
        is not the embedded one: invented districts belong nowhere else.

    Raises:
        CallSomebody: The demo's packages are not installed.
    """
    names = {} if of.database_url else {player: _made(of, player) for player in PLAYERS}
    if not any(names.values()):
        yield None
        return
    with ExitStack() as stack:
        for player, districts in names.items():
            for district, connection in _served(of, player, districts, stack).items():
                _register(engine, player, district, connection)
        yield _folder(of, "sftp")


def _served(of: Settings, player: Player, districts: list[str], stack: ExitStack) -> dict[str, dict[str, Any]]:
    """Start what serves a player's districts; return the connection of each."""
    if player.kind != "sftp":
        from roster_pipelines.simulators.oneroster_api import ApiServer

        servers = {
            name: ApiServer(_folder(of, "files", name), player.kind, secrets=_folder(of, player.kind, name))
            for name in districts
        }
        return {name: stack.enter_context(server).settings() for name, server in servers.items()}
    try:
        from roster_pipelines.simulators.sftp_server import SftpServer
    except ImportError:
        raise CallSomebody("the demo's packages are not installed", "pip install --editable '.[demo]'") from None
    password = _folder(of, "password")
    if not password.exists():
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(16), "utf-8")
    accounts = dict.fromkeys(districts, password.read_text("utf-8"))
    sftp = stack.enter_context(SftpServer(_folder(of, "sftp"), accounts, host_key=_folder(of, "host_key")))
    of_all = SftpConnection(
        kind="sftp",
        host="127.0.0.1",
        port=sftp.port,
        username=player.name,
        password=f"file:{password}",
        host_key=sftp.public_host_key,
        quiet_seconds=0,
        wait_seconds=0,
    )
    return {name: {**of_all.model_dump(), "username": name} for name in districts}


def _register(engine: Engine, player: Player, district: str, connection: dict[str, Any]) -> None:
    """Enter a district, or where its server listens now; whatever a person has changed since stays."""
    with engine.begin() as database:
        if district in registry.keys(database):
            known = registry.get(database, district)
            if not isinstance(known.connection, SftpConnection):
                connection = {**connection, "pull": known.connection.pull}
        else:
            known = _new(player, district, connection)
            if player.kind != "sftp":
                # It is due this very minute, and every day at this time.
                now = datetime.now(ZoneInfo(player.time_zone))
                connection = {**connection, "pull": PullTimes(at=f"{now:%H:%M}")}
        record = District.model_validate({**known.model_dump(), "connection": connection})
        registry.apply(database, record, by="roster demo", why="where the demo's server listens now")


def _new(player: Player, district: str, connection: dict[str, Any]) -> District:
    return District.model_validate(
        {
            "district": district,
            "name": player.title,
            "stage": "live",
            "time_zone": player.time_zone,
            "connection": connection,
            "sign_in": SignIn(
                provider="classlink", match=("sourced_id", "email"), email_domains=(f"{player.name}.example",)
            ),
            "terms": Terms(opens_days_before=90),  # so that there are classes to be seen in summer, too
        }
    )


def _made(of: Settings, player: Player) -> list[str]:
    folder = _folder(of, player.kind)
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


def _folder(of: Settings, *names: str) -> Path:
    """Where the demo keeps its districts' files, its servers' keys and its secrets."""
    return of.data.joinpath("demo", *names)


def _name(player: Player, number: int) -> str:
    return player.name if number == 1 else f"{player.name}-{number}"
