"""What Dagster is told when something goes wrong: one line, and whether trying again makes sense."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from sqlalchemy.exc import OperationalError

from roster_pipelines.errors import RosterError, TryAgain

# Passing faults only; a Failure that a person must see to is never retried.
RETRIES = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


@contextmanager
def typed_failures() -> Iterator[None]:
    """Turn our errors into Dagster failures that say in one line what happened and what to do."""
    try:
        yield
    except RosterError as error:
        raise dg.Failure(str(error), allow_retries=isinstance(error, TryAgain)) from None
    except OperationalError:
        raise dg.Failure(
            "the database cannot be reached or gave up: it is tried again; if this goes on, look at the server",
            allow_retries=True,
        ) from None
