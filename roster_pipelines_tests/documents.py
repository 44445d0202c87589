"""The documents that are made from the code: `python -m roster_pipelines_tests.documents` writes them (`make docs`)."""

from collections.abc import Collection, Iterable

from roster_pipelines.catalogue import GROUPS, Rule
from roster_pipelines.oneroster import rest
from roster_pipelines.oneroster.shape import Column, Table
from roster_pipelines.oneroster.standard import GRADEBOOK, NEVER_STORED, TABLES
from roster_pipelines.rostering.reasons import GATE_WORDS, REASONS, Reason
from roster_pipelines.settings import PROJECT
from roster_pipelines_tests.conformance import conformance, planted

DOCS = PROJECT / "docs"

HEAD = """# OneRoster as it is read here

Written by `make docs` from `roster_pipelines/oneroster/standard.py` and `roster_pipelines/catalogue.py`; a test keeps
it equal to them. `roster templates DIR` writes these headers as files, `roster validate PATH` checks a delivery by
these rules, [conformance.md](conformance.md) names the test of each rule.

## Files

A delivery is the CSV files of one version and a `manifest.csv`, loose or in one zip. Without a manifest, what is there
is read as OneRoster 1.1 in bulk. Files of 1.2 are read into the roster's tables, whose columns are those of 1.1.
"""

COLUMNS = """## Columns

In the standard's order. *Required*: the standard wants a value in every row of a bulk file. *Needed*: without a good
value the row is rejected, as this product cannot use it; whatever else is wrong costs a warning and, at most, the
value. A list is one cell with commas between its items. `ext:` stands for every value that begins so, which is legal
from 1.2 on. Columns named `metadata.<name>` may follow the standard's; they are passed over.
"""

THROUGH_AN_API = """## Through an API

The same tables come from the collections of a OneRoster API, 1.1 or 1.2. A reference such as `org` is the column
`orgSourcedId`, a list of them such as `terms` is `termSourcedIds`; `metadata` is passed over. Booleans may be JSON's or
texts, an id or a text a number, a list of one its item, a reference a bare id; null, an empty text and a missing key
are all no value. A comma within an item of a list does not end it.

What is a list in other records has neither an id nor a date of its own: the id here is made of what tells its items
apart, an item that is there twice is read once, and a record that comes as a change brings the whole of its list.
Findings name the collection or the list, and the place of the record among those that were pulled.
"""

RULES = """## Rules

What is `fatal` refuses the delivery, and the last good roster stays in use; `error` rejects the row; `warning` repairs
or drops the value, or points at something; `info` needs nothing done. Where a rule has several, the worst is for what
this product cannot do without.
"""

GATES_HEAD = """# The gates

Written by `make docs` from `roster_pipelines/rostering/reasons.py`; a test keeps it equal to it.

A teacher's rostered class is created when every gate holds for the teacher and that class. Each gate is answered for
itself, in this order; the first that does not hold is what the class waits for. `roster.gate` and the asset `gates`
have the answers, `roster plan D` counts them, `roster explain D TEACHER` shows the ladder of one.
"""

FORMATS = {
    "id": "id: up to 255 of letters, digits and . - _ / @",
    "text": "text",
    "enumeration": "one of a list",
    "boolean": "true or false",
    "date": "YYYY-MM-DD",
    "datetime": "time in UTC, 2026-11-24T08:00:00.000Z",
    "year": "YYYY",
    "reference": "the id of a record",
    "grades": "CEDS grade code: IT PR PK TK KG 01 to 13 PS UG Other",
    "user_ids": "{type:id}",
    "email": "e-mail address",
    "nces_id": "12 digits for a school, 7 for a district",
}
COLUMN = ("column", "versions", "format", "required", "needed", "list", "legal values", "refers to", "meaning")
RULE = ("rule", "severity", "what is wrong", "what to do")
NEEDED = {
    "always": "always",
    "auto_registration": "for auto-registration",
    "auto_by_resource": "for auto-registration by resource",
    "auto_by_resource_link": "for auto-registration by resource, also without rows",
    "never": "never",
}


def oneroster() -> str:
    """Write docs/oneroster.md: the files, their columns, the rules."""
    gradebook = ", ".join(f"`{name}.csv`{' (1.2)' if only else ''}" for name, only in GRADEBOOK.items())
    dropped = ", ".join(f"`{key}`" for key in sorted(rest.dropped("users")))
    return "\n".join(
        [
            HEAD,
            _table(("file", "versions", "what it holds", "must be there", "read into"), map(_file, TABLES.values())),
            f"`{NEVER_STORED}.csv` is never used: it is neither read nor stored. Gradebook files are recognised and",
            f"not read: {gradebook}.\n",
            COLUMNS,
            *(f"### {table.file}\n\n{_table(COLUMN, map(_column, table.columns))}" for table in TABLES.values()),
            THROUGH_AN_API,
            _table(("read into", "collection", "keys, 1.2's too"), filter(None, map(_keys, TABLES.values()))),
            f"Of users, {dropped} are taken out before anything is stored.\n",
            RULES,
            *(f"### {title}\n\n{_table(RULE, map(_rule, rules.items()))}" for title, rules in GROUPS.items()),
        ]
    )


def gates() -> str:
    """Write docs/gates.md: every gate, and every reason for which one does not hold."""
    heads = ("gate", "reason", "what is so", "what opens it", "who acts")
    gates = "\n".join(f"{number}. `{gate}`: {words}" for number, (gate, words) in enumerate(GATE_WORDS.items(), 1))
    return "\n".join([GATES_HEAD, gates, "\n## The reasons\n", _table(heads, map(_reason, REASONS.items()))])


def _reason(named: tuple[str, Reason]) -> tuple[str, ...]:
    code, reason = named
    return f"`{reason.gate}`", f"`{code}`", reason.what, reason.opens, reason.who


def _table(heads: Collection[str], rows: Iterable[Iterable[str]]) -> str:
    # Markdown would take <name> for a tag.
    return "".join(f"| {' | '.join(row)} |\n".replace("<", "&lt;") for row in (heads, ["---" for _ in heads], *rows))


def _file(table: Table) -> tuple[str, ...]:
    return f"`{table.file}`", table.only or "both", table.meaning, NEEDED[table.needed], f"`{table.into}`"


def _keys(table: Table) -> tuple[str, ...] | None:
    of = rest.source(table)
    if of is None:
        return None
    keys = dict.fromkeys([*rest.keys(table, "1.1"), *rest.keys(table, "1.2")])
    return f"`{table.name}`", f"`{of.collection}`", ", ".join(f"`{key}`" for key in keys)


def _column(column: Column) -> tuple[str, ...]:
    versions = f"{column.only or 'both'}{', first release' if column.first_release_only else ''}"
    legal = ", ".join((*(f"`{value}`" for value in column.values), *(["`ext:`"] if column.extensible else [])))
    return (
        f"`{column.name}`",
        versions,
        FORMATS[column.format],
        _yes(column.required),
        _yes(column.needed),
        _yes(column.many),
        legal,
        column.references and f"`{column.references}`",
        column.meaning if column.stored or "never stored" in column.meaning else f"{column.meaning}; never stored",
    )


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _rule(named: tuple[str, Rule]) -> tuple[str, ...]:
    name, rule = named
    return f"`{name}`", ", ".join(rule.severities), rule.message, rule.remedy


def main() -> None:
    """Write the documents."""
    (DOCS / "oneroster.md").write_text(oneroster(), "utf-8")
    (DOCS / "gates.md").write_text(gates(), "utf-8")
    (DOCS / "conformance.md").write_text(conformance(planted()), "utf-8")


if __name__ == "__main__":
    main()
