"""Steps are tried one after the other; what needs one that failed is not tried, and neither is what needs that."""

from roster_pipelines.connections import http
from roster_pipelines.connections.check.span import span
from roster_pipelines.connections.check.step import NOT_TRIED, Fault, Found, Planned, Step, taken
from roster_pipelines.errors import CallSomebody


def run(*planned: Planned) -> list[Step]:
    return list(taken(planned, "powerschool", lambda _: None))


def fails() -> Found:
    raise CallSomebody("it is wrong", "mend it")


def busy() -> Found:
    raise http.Passing("the server answers 503", "it is tried again")


def test_what_rests_on_a_step_that_failed_is_not_tried_and_the_rest_is() -> None:
    first = Planned("first", fails, "ours")
    second = Planned("second", lambda: Found("fine"), "ours", (first,))
    third = Planned("third", lambda: Found("fine"), "ours", (second,))
    other = Planned("other", lambda: Found("fine"), "ours")
    steps = run(first, second, third, other)
    assert [step.state for step in steps] == ["failed", "skipped", "skipped", "ok"]
    assert (steps[0].detail, steps[0].remedy, steps[0].ours) == ("it is wrong", "mend it", True)
    assert steps[1].detail == NOT_TRIED


def test_an_error_that_passes_is_told_as_such_and_a_fault_as_what_it_is() -> None:
    def lacks() -> Found:
        raise Fault("no record has role", "fields", lines=("3 sampled",), extra={"count": 3})

    ill, fields = run(Planned("a", busy, "credentials"), Planned("b", lacks, "credentials"))
    assert "under maintenance" in ill.remedy
    assert "read these fields" in fields.remedy
    assert (fields.lines, fields.extra) == (("3 sampled",), {"count": 3})


def test_a_step_tries_once() -> None:
    tries: list[int] = []

    def attempt() -> Found:
        tries.append(1)
        return busy()

    run(Planned("a", lambda: http.persistently(attempt), "ours"))
    assert len(tries) == 1


def test_a_span_has_one_unit() -> None:
    told = {0: "0 s", -3: "0 s", 119: "119 s", 120: "2 min", 7199: "119 min", 7200: "2 h", 2_592_000: "30 days"}
    assert {seconds: span(seconds) for seconds in told} == told
