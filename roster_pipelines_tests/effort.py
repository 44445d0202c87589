"""How much of what could be tried is tried: a sample with every run, much more with `make exhaustive`."""

import os


def cases(sample: int, many: int) -> int:
    """Choose a number of cases, stories or examples."""
    return many if os.environ.get("ROSTER_TESTS") == "exhaustive" else sample
