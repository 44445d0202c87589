"""Habits that change a district's records: what each of them does to the rows, before they become JSON."""

from collections.abc import Callable

from roster_pipelines.simulators.oneroster_api.data import Row
from roster_pipelines.simulators.oneroster_api.habits import Habits, ProviderName
from roster_pipelines.simulators.oneroster_api.new_ids import Rows, guid, next_year, odd, pad, rename

Change = Callable[[Rows], None]


def asked(habits: Habits, provider: ProviderName) -> list[Change]:
    """Give the changes that habits ask for, to be called with all tables, one after the other.

    Ids change last, so that those before may go by the files' own.
    """
    vanishes = provider == "infinite_campus"
    changes: list[tuple[bool, Change]] = [
        (habits.modified != "usual", lambda rows: _write_times(rows, 10 if habits.modified == "day" else -1)),
        (habits.doubled_id is not None, lambda rows: _double(rows, habits.doubled_id or 1)),
        (habits.rollover, _roll_over),
        (habits.account_disabled, _leave_out if vanishes else _disable),
        (habits.campus_grades, _grades),
        (habits.dangling_enrollments, _dangle),
        (habits.guardian_enrolled, _guardian),
        (habits.teaching_student, _teaching_student),
        (habits.roaming_teacher, _roam),
        (habits.no_email, _no_email),
        (habits.unreadable_org, _hide_org),
        (habits.role_prefixed_ids, _prefix),
        (habits.guids, _guids),
        (habits.odd_ids, lambda rows: rename(rows, odd)),
        (habits.padded_ids != "no", lambda rows: pad(rows, references=habits.padded_ids == "everywhere")),
    ]
    return [change for is_asked, change in changes if is_asked]


def _people(rows: Rows, role: str) -> list[Row]:
    return sorted((row for row in rows["users"] if row["role"] == role), key=lambda row: row["sourcedId"])


def _enroll(rows: Rows, like: Row, sourced_id: str, user: str) -> None:
    """Add a student's enrollment in the class of another one."""
    rows["enrollments"].append(
        like | {"sourcedId": sourced_id, "userSourcedId": user, "role": "student", "primary": ""}
    )


def _write_times(rows: Rows, length: int) -> None:
    for table in rows.values():
        for row in table:
            if row.get("dateLastModified"):
                row["dateLastModified"] = row["dateLastModified"][:length]


def _double(rows: Rows, number: int) -> None:
    rows["users"].append(dict(sorted(rows["users"], key=lambda row: row["sourcedId"])[number - 1]))


def _roll_over(rows: Rows) -> None:
    rename(rows, next_year)
    for table in ("academicSessions", "enrollments"):
        for row in rows[table]:
            for column in ("startDate", "endDate", "beginDate"):
                if row.get(column):
                    row[column] = f"{int(row[column][:4]) + 1}{row[column][4:]}"
            if row.get("schoolYear"):
                row["schoolYear"] = str(int(row["schoolYear"]) + 1)


def _disable(rows: Rows) -> None:
    _people(rows, "student")[0]["enabledUser"] = "false"


def _leave_out(rows: Rows) -> None:
    gone = _people(rows, "student")[0]["sourcedId"]
    rows["users"] = [row for row in rows["users"] if row["sourcedId"] != gone]
    rows["enrollments"] = [row for row in rows["enrollments"] if row["userSourcedId"] != gone]


def _grades(rows: Rows) -> None:
    small = [row for row in _people(rows, "student") if row["grades"] == "KG"]
    for place, row in enumerate(small):
        row["grades"] = "KG,K4" if place == 0 else ("KG", "K4")[place % 2]


def _dangle(rows: Rows) -> None:
    like = rows["enrollments"][0]
    left = _people(rows, "student")[0] | {"sourcedId": "usr-left", "status": "tobedeleted"}
    rows["users"].append(left | {"username": "left", "email": "", "identifier": ""})
    _enroll(rows, like, "enr-left", "usr-left")
    _enroll(rows, like, "enr-absent", "usr-absent")


def _guardian(rows: Rows) -> None:
    like = _people(rows, "student")[0]
    guardian = {"sourcedId": "usr-guardian", "role": "guardian", "grades": "", "agentSourcedIds": ""}
    rows["users"].append(like | guardian | {"username": "guardian", "email": "", "identifier": ""})
    _enroll(rows, rows["enrollments"][0], "enr-guardian", "usr-guardian")


def _teaching_student(rows: Rows) -> None:
    _enroll(rows, rows["enrollments"][-1], "enr-teaching-student", _people(rows, "teacher")[0]["sourcedId"])


def _roam(rows: Rows) -> None:
    teacher = _people(rows, "teacher")[0]
    others = [row["sourcedId"] for row in rows["orgs"] if row["sourcedId"] != teacher["orgSourcedIds"]]
    teacher["orgSourcedIds"] = ",".join([teacher["orgSourcedIds"], *others[:2]])


def _no_email(rows: Rows) -> None:
    for row in rows["users"][::3]:
        row["email"] = ""


def _hide_org(rows: Rows) -> None:
    rows["orgs"].sort(key=lambda row: row["sourcedId"])
    rows["orgs"].pop()


def _prefix(rows: Rows) -> None:
    first = {row["sourcedId"]: row["role"][0] for row in rows["users"]}

    def prefixed(_: str, sourced_id: str) -> str:
        return f"{first.get(sourced_id, 's')}{sourced_id.removeprefix('usr-')}"

    twice = [dict(row) for row in _people(rows, "teacher")[:2]]
    rename(rows, prefixed, only="users")
    for row in twice:
        student = row | {"sourcedId": f"s{row['sourcedId'].removeprefix('usr-')}", "role": "student"}
        rows["users"].append(student)
        _enroll(rows, rows["enrollments"][-1], f"enr-{student['sourcedId']}", student["sourcedId"])


def _guids(rows: Rows) -> None:
    for row in rows["users"]:
        row["metadata.ic.legacysourceId"] = row["sourcedId"]
    rename(rows, guid)
