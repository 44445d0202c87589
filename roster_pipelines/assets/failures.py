"""What Dagster is told when something goes wrong: one line, and whether trying again makes sense."""

import logging
import traceback
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
def typed_failures(tried: int = 0) -> Iterator[None]:
    """Turn our errors into Dagster failures that say in one line what happened and what to do.

    Args:
        tried: How often the step was tried again already; the last try fails with the reason itself.
    """
    try:
        yield
    except TryAgain as error:
        raise _again(str(error), tried) from dg.Failure(str(error))
    except RosterError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    except OperationalError:
        reason = "the database cannot be reached or gave up: if this goes on, look at the server"
        raise _again(reason, tried) from dg.Failure(reason)
    except OSError as error:
        reason = f"{error.filename or 'a file'}: {error.strerror}: free the disk, or mend the folder"
        raise dg.Failure(reason, allow_retries=False) from None


def _again(reason: str, tried: int) -> Exception:
    if tried < RETRIES:
        return dg.RetryRequested(RETRIES, SECONDS_BETWEEN)
    return dg.Failure(reason, allow_retries=False)


class _OnlyThePlace(logging.Filter):
    """Keep an exception's type and place, and drop its text: a database quotes the row that it could not take."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; nothing is dropped as a whole."""
        error = record.exc_info[1] if record.exc_info else None
        lines = [record.getMessage()]
        while error is not None:  # Dagster's own error is around the one that tells something
            frames = traceback.extract_tb(error.__traceback__)
            lines += [type(error).__name__, *(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)]
            error = error.__cause__ or error.__context__
        record.msg, record.args, record.exc_info, record.exc_text = "\n".join(lines), None, None, None
        return True


# Dagster writes what it redacts elsewhere to this logger in full, and so to the run's captured output.
logging.getLogger("dagster.redacted_errors").addFilter(_OnlyThePlace())
