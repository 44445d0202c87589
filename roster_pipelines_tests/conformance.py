"""The public ledger docs/conformance.md: each rule, its severity, the test that plants it.

The faults stand in the modules of `roster_pipelines_tests.staging.catalogue`, each of which has a list `FAULTS` of
objects with the attributes `what` (a sentence), `rule` and `severity`.
"""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain

from roster_pipelines.catalogue import GROUPS, RULES

HEAD = """# Conformance

Written by `make docs`; a test keeps it equal to the code. Each rule that a delivery is held against, how bad breaking
it is, and the faults that `roster_pipelines_tests/staging/test_catalogue.py` plants into a clean district to prove it:
each must give just this rule and severity, at the right file and line, and nothing else. The word in front of a fault
is the module of `roster_pipelines_tests/staging/catalogue` that it stands in. What the rules say is in
[oneroster.md](oneroster.md#rules).
"""

Planted = tuple[str, str, str]
"""Rule, severity, and the test that plants it."""


def planted() -> list[Planted]:
    """Collect every fault of the catalogue of planted faults."""
    catalogue = importlib.import_module("roster_pipelines_tests.staging.catalogue")
    modules = [
        importlib.import_module(f"{catalogue.__name__}.{m.name}") for m in pkgutil.iter_modules(catalogue.__path__)
    ]
    return [
        (fault.rule, fault.severity, f"`{module.__name__.rpartition('.')[2]}`: {fault.what}")
        for module in modules
        for fault in getattr(module, "FAULTS", ())
    ]


def unproven(faults: Iterable[Planted]) -> set[tuple[str, str]]:
    """Find the rules, and the severities of them, that no test plants."""
    proven = {(rule, severity) for rule, severity, _ in faults}
    return {(name, severity) for name, rule in RULES.items() for severity in rule.severities} - proven


def conformance(faults: Iterable[Planted]) -> str:
    """Write the ledger.

    Args:
        faults: Rule, severity and test of every planted fault.

    Returns:
        The document.

    Raises:
        ValueError: A fault's rule or severity is not in the catalogue.
    """
    tests: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, severity, test in faults:
        if name not in RULES or severity not in RULES[name].severities:
            raise ValueError(f"{test}: {name} is no rule that can be {severity}")
        tests[name, severity].append(test)
    return "\n".join([HEAD, *chain.from_iterable(_group(title, tests) for title in GROUPS)])


def _group(title: str, tests: dict[tuple[str, str], list[str]]) -> list[str]:
    return [
        f"## {title}\n",
        "| rule | severity | planted by |",
        "| --- | --- | --- |",
        *(
            f"| `{name}` | {severity} | {'<br>'.join(tests.get((name, severity), ['nothing yet']))} |"
            for name, rule in GROUPS[title].items()
            for severity in rule.severities
        ),
        "",
    ]
