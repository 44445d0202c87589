"""A clean district to plant faults into, each in rows of its own."""

import csv
import io
from collections.abc import Callable
from itertools import count
from pathlib import Path

from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.oneroster.templates import header
from roster_pipelines_tests.staging.conftest import Delivered

DISTRICT, SCHOOL, HIGH_SCHOOL = "org-0000", "org-0001", "org-0002"
ADMINISTRATOR = "usr-000001"
YEAR, AUTUMN = "ses-2027-0", "ses-2027-1"

# A good row of each file that nothing else refers to; what is missing here is blank.
_GOOD: dict[str, dict[str, str]] = {
    "academicSessions": {
        "title": "Autumn", "type": "term", "startDate": "2026-08-15", "endDate": "2027-01-15",
        "parentSourcedId": YEAR, "schoolYear": "2027",
    },
    "orgs": {"name": "Annex", "type": "school", "parentSourcedId": DISTRICT},
    "courses": {"title": "Chess", "schoolYearSourcedId": YEAR, "orgSourcedId": DISTRICT},
    "users": {
        "enabledUser": "true", "orgSourcedIds": SCHOOL, "role": "aide", "givenName": "Pat", "familyName": "Stone",
        "primaryOrgSourcedId": SCHOOL,
    },
    "classes": {
        "title": "Chess", "courseSourcedId": "crs-01-00", "classType": "scheduled", "schoolSourcedId": SCHOOL,
        "termSourcedIds": AUTUMN,
    },
    "resources": {"vendorResourceId": "lessons", "title": "Lessons"},
    "classResources": {"classSourcedId": "cls-000001", "resourceSourcedId": "res-01"},
    "courseResources": {"courseSourcedId": "crs-01-00", "resourceSourcedId": "res-01"},
    "roles": {"userSourcedId": ADMINISTRATOR, "roleType": "secondary", "role": "proctor", "orgSourcedId": SCHOOL},
    "userProfiles": {
        "userSourcedId": ADMINISTRATOR, "profileType": "sign-in", "vendorId": "vendor", "credentialType": "password",
        "username": "pat",
    },
    "userResources": {"userSourcedId": ADMINISTRATOR, "resourceSourcedId": "res-01"},
}  # fmt: skip

Row = dict[str, str]


class Ground(Delivered):
    """A delivery whose rows are handed out one by one."""

    def __init__(self, folder: Path, database: Path) -> None:
        super().__init__(folder, database)
        self._taken: set[tuple[str, int]] = set()
        self._numbers = count(1)

    def rows(self, table: str) -> dict[int, Row]:
        """Every row of a file by its line."""
        names, lines = self._names(table), self.text(table).split("\n")
        # By lines, as another fault may have left a quote open.
        return {n: dict(zip(names, next(csv.reader([line])), strict=False)) for n, line in enumerate(lines, 1) if line}

    def line(self, table: str, where: Callable[[Row], bool] = lambda _: True) -> int:
        """Take the first row that nobody has taken yet."""
        line = next(n for n, row in self.rows(table).items() if n > 1 and (table, n) not in self._taken and where(row))
        self._taken.add((table, line))
        return line

    def set(self, table: str, line: int, **cells: str) -> int:
        """Change cells of a row; return its line."""
        self.replace_line(table, line, lambda text: _written(self._cells(table, text) | cells))
        return line

    def add(self, table: str, **cells: str) -> int:
        """Add a good row with some of its cells changed; return its line."""
        names = self._names(table)
        own = f"own-{next(self._numbers)}"
        good = {"sourcedId": own, "username": own, **_GOOD[table]}
        row = {name: good.get(name, "") for name in names} | cells
        assert list(row) == names, row.keys() - set(names)
        self.change(table, lambda text: f"{text}{_written(row)}\n")
        lines = self.text(table).count("\n")
        self._taken.add((table, lines))
        return lines

    def own(self, table: str, **cells: str) -> int:
        """Give a fault a good row of its own, with some of its cells changed; return its line."""
        if table == "enrollments":
            # A student's: a new one would be the student's second in that class.
            return self.set(table, self.line(table, lambda row: row["role"] == "student"), **cells)
        if table == "users" and (self.folder / "roles.csv").exists():
            return self.person(**cells)
        line = self.add(table, **cells)
        if table == "classes":
            self.teach(line)
        return line

    def teach(self, line: int, **cells: str) -> int:
        """Enroll a teacher in the class of a line; return the enrollment's line."""
        row = self.rows("classes")[line]
        school = row["schoolSourcedId"].strip()
        here = {
            "classSourcedId": row["sourcedId"].strip(),
            "schoolSourcedId": school if school in (DISTRICT, SCHOOL, HIGH_SCHOOL) else SCHOOL,
            "userSourcedId": self.teacher(),
        }
        return self.enroll(**{**here, "role": "teacher", **cells})

    def enroll(self, **cells: str) -> int:
        """Add an enrollment without dates; return its line."""
        row = dict.fromkeys(self._names("enrollments"), "") | {"sourcedId": f"own-{next(self._numbers)}"} | cells
        self.change("enrollments", lambda text: f"{text}{_written(row)}\n")
        return self.text("enrollments").count("\n")

    def teacher(self) -> str:
        """A teacher's id."""
        return next(row["userSourcedId"] for row in self.rows("enrollments").values() if row["role"] == "teacher")

    def person(self, *, of: str = "secondary", **cells: str) -> int:
        """Add somebody of 1.2 with a role; return the line in users.csv."""
        line = self.add("users", **cells)
        self.add("roles", userSourcedId=self.rows("users")[line]["sourcedId"], roleType=of, role="aide")
        return line

    def rename(self, table: str, name: str) -> None:
        """Give a file another name."""
        (self.folder / f"{table}.csv").rename(self.folder / name)

    def remove(self, *tables: str) -> None:
        """Take files out of the delivery."""
        for table in tables:
            (self.folder / f"{table}.csv").unlink()

    def declare(self, **modes: str) -> None:
        """Say of files in the manifest how they come."""
        for table, mode in modes.items():
            lines = self.text("manifest").split("\n")
            lines[self.declared(table) - 1] = f"file.{table},{mode}"
            self.write("manifest", "\n".join(lines))

    def declared(self, table: str) -> int:
        """The manifest's line about a file."""
        lines = self.text("manifest").split("\n")
        return next(n for n, line in enumerate(lines, start=1) if line.startswith(f"file.{table},"))

    def begin(self, *tables: str) -> None:
        """Add 1.2's files without rows, in bulk."""
        for table in tables:
            self.write(table, ",".join(header(TABLES[table], "1.2")) + "\n")
        self.declare(**dict.fromkeys(tables, "bulk"))

    def _names(self, table: str) -> list[str]:
        return self.text(table).partition("\n")[0].split(",")

    def _cells(self, table: str, text: str) -> Row:
        return dict(zip(self._names(table), next(csv.reader([text])), strict=True))


def _written(row: Row) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(row.values())
    return out.getvalue()
