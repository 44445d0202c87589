"""What Dagster is told of a failure: one line of ours, and another try only where that can help."""

import dagster as dg
import psycopg2
import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from roster_pipelines.assets.failures import RETRIES, typed_failures
from roster_pipelines.errors import CallSomebody, LookAtData, TryAgain


def raised(error: Exception, tried: int = 0) -> BaseException:
    """What leaves the block when this error enters it."""
    with pytest.raises(BaseException) as caught, typed_failures(tried):  # noqa: PT011 - whatever it is
        raise error
    return caught.value


@pytest.mark.parametrize("kind", [CallSomebody, LookAtData])
def test_what_a_person_must_see_to_is_never_tried_again(kind: type[CallSomebody | LookAtData]) -> None:
    failure = raised(kind("the folder is empty", "deliver the files"))
    assert isinstance(failure, dg.Failure)
    assert failure.description == "the folder is empty: deliver the files"
    assert not failure.allow_retries


def test_a_passing_fault_is_tried_again_a_few_times_and_says_why() -> None:
    retry = raised(TryAgain("the server cannot be reached", "it is tried again"))
    assert isinstance(retry, dg.RetryRequested)
    assert retry.max_retries == RETRIES
    assert isinstance(retry.__cause__, dg.Failure)
    assert retry.__cause__.description == "the server cannot be reached: it is tried again"


def test_the_last_try_fails_with_the_reason_itself() -> None:
    fault = TryAgain("the server cannot be reached", "look at it")
    assert isinstance(raised(fault, RETRIES - 1), dg.RetryRequested)
    failure = raised(fault, RETRIES)
    assert isinstance(failure, dg.Failure)
    assert failure.description == "the server cannot be reached: look at it"
    assert not failure.allow_retries


def test_a_database_that_gives_up_is_tried_again_without_its_statement_and_values() -> None:
    statement = OperationalError("SELECT :name", {"name": "Kim"}, psycopg2.OperationalError("deadlock: Kim"))
    retry = raised(statement)
    assert isinstance(retry, dg.RetryRequested)
    assert isinstance(retry.__cause__, dg.Failure)
    assert "Kim" not in str(retry.__cause__.description)
    assert retry.__suppress_context__


def test_a_full_disk_says_so() -> None:
    failure = raised(OSError(28, "No space left on device", "/lake/users.csv"))
    assert isinstance(failure, dg.Failure)
    assert failure.description == "/lake/users.csv: No space left on device: free the disk, or mend the folder"
    assert not failure.allow_retries


@pytest.mark.parametrize("fault", [KeyError("role"), ProgrammingError("SELECT", {}, Exception())])
def test_a_fault_of_our_own_is_not_dressed_up(fault: Exception) -> None:
    assert raised(fault) is fault
