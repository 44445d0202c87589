"""What Dagster is told when something goes wrong: one line, and whether trying again makes sense."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from sqlalchemy.exc import OperationalError

from roster_pipelines.errors import RosterError, TryAgain

# Enough for a server that restarts; what lasts longer is for a person. Only passing faults are tried again, so
# there is no retry policy: that would repeat every unexpected error too.
RETRIES = 3
SECONDS_BETWEEN = 10


@contextmanager
def typed_failures() -> Iterator[None]:
    """Turn our errors into Dagster failures that say in one line what happened and what to do."""
    try:
        yield
    except TryAgain as error:
        raise dg.RetryRequested(RETRIES, SECONDS_BETWEEN) from dg.Failure(str(error))
    except RosterError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    except OperationalError:
        reason = "the database cannot be reached or gave up: if this goes on, look at the server"
        raise dg.RetryRequested(RETRIES, SECONDS_BETWEEN) from dg.Failure(reason)
    except OSError as error:
        reason = f"{error.filename or 'a file'}: {error.strerror}: free the disk, or mend the folder"
        raise dg.Failure(reason, allow_retries=False) from None
