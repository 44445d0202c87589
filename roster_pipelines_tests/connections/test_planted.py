"""What is planted as secret turns up nowhere: in no log, error, receipt, manifest, page or file name."""

import logging
import traceback
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from roster_pipelines.connections import landing
from roster_pipelines.errors import RosterError
from roster_pipelines.simulators.oneroster_api.shapes import NEVER_LANDS
from roster_pipelines_tests.connections.api import NOW, Api

ANY = {
    "nothing": {},
    "busy": {"school_hours": True},
    "ill": {"error_every": 1},
    "forbidden": {"error_every": 1, "error_status": 403},
    "refused": {"error_every": 1, "error_status": 401},
    "not understood": {"error_every": 1, "error_status": 400},
    "odd": {"error_every": 1, "error_status": 418},
    "not there": {"missing": ("orgs", "users")},
    "cut": {"cut_after": 2},
    "a page for people": {"body": "html", "body_after": 2},
    "a redirect": {"body": "login", "body_after": 2},
    "a message": {"body": "message", "body_after": 2},
    "purged": {"purged": True},
    "counts too many": {"total_off_by": 3},
}
OF_ONE = {
    "classlink": {
        "the tenant is gone": {"tenant": "removed"},
        "the bearer changes": {"rotate_bearer_after": 3},
        "signed": {"direct": True},
        "signed and refused": {"direct": True, "error_every": 1, "error_status": 401},
    },
    "infinite_campus": {
        "the connection has expired": {"connection": "expired"},
        "tokens die on the way": {"token_requests": 3},
        "tokens die at once": {"token_requests": 0},
        "in the body": {"token_auth": "body"},
        "without its scope": {"needs_scope": True},
    },
    "powerschool": {
        "nothing": {},
        "the secret is another": {"secret_rotated": True},
        "the hosted product": {"hosted": True},
        "tokens die at once": {"token_requests": 0},
    },
}
FAILURES = [
    pytest.param(provider, habits, id=f"{provider}, {failure}")
    for provider, own in OF_ONE.items()
    for failure, habits in ((ANY | own) if provider != "powerschool" else own).items()
]


class Everything(logging.Handler):
    """Every record of every logger, with what it was given, whatever its level."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {record.getMessage()} {record.__dict__}")


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What all loggers write; none of them keeps anything back."""
    handler = Everything()
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore", "oauthlib", "asyncio")]
    with monkeypatch.context() as patch:
        for logger in (logging.getLogger(), *loggers):
            patch.setattr(logger, "level", logging.DEBUG)
            # The connectors' own choice of a level does not count here.
            patch.setattr(logger, "setLevel", lambda _: None)
            logger.manager._clear_cache()
        logging.getLogger().addHandler(handler)
        yield handler.lines
        logging.getLogger().removeHandler(handler)
    logging.getLogger().manager._clear_cache()


def chain(error: BaseException | None) -> Iterator[str]:
    """The texts of an error and of all that lie behind it, shown or not, and how Python would print it."""
    seen = set[int]()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield f"{one!s} {one!r} {one.args!r}"
        waiting += [one.__cause__, one.__context__]
    if error is not None:
        yield "".join(traceback.format_exception(error))


def planted(api: Api) -> list[str]:
    """Secrets and tokens, as they are, quoted, and as HTTP Basic has them; and what never lands."""
    name = str(api.server.settings().get("client_id"))
    plain = [*api.server.secrets, NEVER_LANDS]
    assert len(plain) > 2
    return [*plain, *map(quote_plus, plain), *(b64encode(f"{name}:{one}".encode()).decode() for one in plain)]


@pytest.mark.parametrize(("api", "habits"), FAILURES, indirect=["api"])
def test_no_secret_turns_up_anywhere(api: Api, habits: dict[str, Any], logged: list[str]) -> None:
    api.behave(leaky_errors=True, **habits)
    told = list[str]()
    try:
        pulled = api.pull(page_size=200, progress=told.append)
    except RosterError as error:
        told += chain(error)
    else:
        receipt = landing.receipt(pulled.gathered, NOW)
        landing.land(api.lake, "maple-valley", pulled.gathered.files, receipt)
        told += [receipt.json(), str(pulled.modes), pulled.everything().decode()]
    told += logged
    told += [f"{path} {path.read_bytes()!r}" for path in Path(api.lake.root.path).rglob("*") if path.is_file()]
    assert told
    everything = "\n".join(told)
    assert not [secret for secret in planted(api) if secret in everything]


def test_the_loggers_are_heard_and_the_server_leaks(powerschool: Api, logged: list[str]) -> None:
    """Else the test above would prove nothing."""
    powerschool.behave(leaky_errors=True)
    answer = httpx.get(
        f"{powerschool.server.url}/api/ims/oneroster/v1p1/orgs", headers={"Authorization": "Bearer planted"}
    )
    assert "planted" in answer.text
    powerschool.pull()
    assert {"httpx", "httpcore.http11"} <= {line.partition(" ")[0] for line in logged}
