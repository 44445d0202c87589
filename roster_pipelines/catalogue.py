"""Every rule that a delivery is held against: what it says, what to do, and how bad it is. The words stand here only.

A message is a phrase that says what is wrong, a remedy one that says what to do; neither repeats a value. Where a rule
has several severities, the worst is for what this product cannot do without.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        severities: What breaking it can be, the worst first.
        message: What is wrong.
        remedy: What to do.
    """

    severities: tuple[str, ...]
    message: str
    remedy: str


F, E, W, I = ("fatal",), ("error",), ("warning",), ("info",)  # noqa: E741 - columns of the tables below

_PACKAGE = {
    "zip-damaged": Rule(F, "the zip cannot be unpacked to its end", "zip the files again and upload the whole zip"),
    "zip-encrypted": Rule(F, "the zip is encrypted", "zip the files without a password"),
    "zip-entries": Rule(F, "the zip holds more entries than a roster can", "zip the CSV files only"),
    "zip-size": Rule(F, "the zip unpacks to more than a roster can hold", "zip the CSV files only"),
    "zip-ratio": Rule(F, "the zip unpacks to far more than it holds, as no roster does", "zip the CSV files again"),
    "zip-method": Rule(
        F, "the zip is packed by a method that not every program knows", "zip the files in the usual way, by Deflate"
    ),
    "zip-path": Rule(F, "a path in the zip leads out of it", "zip the CSV files themselves, without their paths"),
    "zip-folder": Rule(I, "the files lie in a folder inside the zip", "zip the files, not the folder"),
    "zip-nested": Rule(F, "a zip lies inside the zip", "zip the CSV files themselves"),
    "zip-empty": Rule(F, "the zip holds no OneRoster file", "zip the CSV files of the roster"),
    "zip-beside-files": Rule(
        F,
        "a zip lies beside CSV files or another zip, so it is not clear which is the delivery",
        "leave either one zip or loose CSV files there",
    ),
    "file-doubled": Rule(F, "the file is there twice, or two names stand for it", "deliver each file once"),
    "file-name": Rule(W, "the file's name is not the standard's", "name it exactly as this report does"),
    "file-unknown": Rule(W, "the file is none of OneRoster's", "leave it out"),
    "file-not-used": Rule(I, "gradebook files are recognised and not used", "nothing: it was not stored"),
    "file-never-stored": Rule(I, "demographics are never used", "leave it out: it was neither read nor stored"),
    "file-missing": Rule(
        F + W, "a required file, or one that the manifest declares, is missing", "add the file to the delivery"
    ),
    "file-empty": Rule(
        F + I, "the file holds no rows", "export it again with its rows; one that is not needed may be left out"
    ),
    "files-apart": Rule(
        W,
        "the file was written more than six hours before the newest, so it may be of an earlier upload",
        "upload all files each time, one after the other",
    ),
    "file-unusable": Rule(F, "not one row of a required file can be used", "mend what its findings say"),
}

_MANIFEST = {
    "manifest-missing": Rule(W, "there is no manifest.csv", "add manifest.csv; what is here was read as 1.1 bulk"),
    "manifest-unreadable": Rule(
        F, "manifest.csv holds no property that is known", "write lines such as file.users,bulk (roster templates)"
    ),
    "manifest-version": Rule(W, "manifest.version is not 1.0", "write 1.0: spreadsheets turn it into 1"),
    "version-unsupported": Rule(
        F, "oneroster.version is neither 1.1 nor 1.2", "export OneRoster 1.1 or 1.2 CSV files, and say which"
    ),
    "manifest-property-missing": Rule(
        W,
        "the manifest lacks a property of the standard; a file that it does not name was read as bulk",
        "add the property",
    ),
    "manifest-property-doubled": Rule(W, "the property stands in the manifest twice", "leave one of the two out"),
    "manifest-property-unknown": Rule(W, "the property is none of the standard's", "correct its name or leave it out"),
    "manifest-property-case": Rule(
        W,
        "the property's name is not in the standard's case; it was understood",
        "write it exactly as the standard does",
    ),
    "manifest-value": Rule(F + W, "a file's mode is none of absent, bulk, delta", "correct the value in manifest.csv"),
    "manifest-value-case": Rule(W, "the value is not in the standard's case", "write it in lower case"),
    "file-declared-absent": Rule(
        W,
        "the file is here although the manifest says absent, so it was not read",
        "declare it bulk in manifest.csv, or leave it out",
    ),
}

_FILE = {
    "encoding-utf-16": Rule(W, "the file is UTF-16; it was converted", "export it as UTF-8"),
    "encoding-windows-1252": Rule(
        W, "the file has characters of Windows-1252 (ANSI); they were converted", "export it as UTF-8"
    ),
    "separator": Rule(W, "the columns are not separated by commas", "export with commas"),
    "line-ends": Rule(W, "lines end in carriage returns, or in several ways", "end every line with CRLF or with LF"),
    "line-blank": Rule(I, "a line is blank", "leave blank lines out"),
    "line-break-in-field": Rule(
        W, "a field has a line break in it, which was read as a blank", "export without line breaks inside fields"
    ),
    "nul-bytes": Rule(W, "the file holds NUL bytes, which were taken out", "export the file again as plain UTF-8"),
    "header-missing": Rule(
        F + W,
        "the first line is no header of this file",
        "begin the file with the standard's column names, separated by commas",
    ),
    "column-missing": Rule(F + W, "a required column is missing", "add the column to the header"),
    "column-absent": Rule(W, "an optional column of the standard is missing", "add it, even if it is empty"),
    "column-unknown": Rule(W, "the column is not of the standard", "leave it out, or name it metadata.<name>"),
    "column-case": Rule(
        W,
        "the column's name is not in the standard's case, or has blanks around it; it was understood",
        "write it exactly as the standard does",
    ),
    "column-order": Rule(
        W,
        "the columns are not in the standard's order",
        "write the columns in the order of the template (roster templates), metadata columns last",
    ),
    "column-doubled": Rule(
        F + W, "the column stands in the header twice, so none of the two was read", "leave one of the two out"
    ),
    "password-sent": Rule(I, "passwords were delivered; they were neither read nor stored", "leave the column blank"),
    "lines-lost": Rule(F + W, "lines of the file could not be told apart", "export the file again"),
}

_ROW = {
    "row-unreadable": Rule(
        E, "the row does not have one value for each column, or a quote in it is not closed", "export the row again"
    ),
    "row-truncated": Rule(E, "the file ends in the middle of this row", "export and upload the whole file again"),
    "value-missing": Rule(E + W, "the value is missing", "fill it in"),
    "value-unknown": Rule(E + W, "the value is none of the standard's", "use one of the standard's values"),
    "value-case": Rule(
        W, "the value is not in the standard's case or form; it was understood", "write it exactly as the standard does"
    ),
    "value-blanks": Rule(W, "there are blanks around an id; they were taken off", "write ids without blanks"),
    "value-extension": Rule(I, "an ext: value, which the standard allows", "nothing"),
    "value-spreadsheet": Rule(
        E + W,
        "a spreadsheet has turned the value into a number such as 1.23E+11, or into an error; it is lost",
        "export again and send the file without opening it in a spreadsheet",
    ),
    "list-item-empty": Rule(W, "the list has an empty item", "write the items with one comma between them"),
    "id-doubled": Rule(E, "the sourcedId stands in another row too", "give every record its own sourcedId"),
    "id-case": Rule(W, "two sourcedIds are equal but for case", "never tell two records apart by case only"),
    "id-characters": Rule(
        W,
        "the sourcedId has characters beyond letters, digits and . - _ / @",
        "use letters, digits and . - _ / @ in ids",
    ),
    "id-length": Rule(W, "the sourcedId has more than 255 characters", "use ids of up to 255 characters"),
    "date-unreadable": Rule(W, "the value is no date, or it is not clear which", "write dates as YYYY-MM-DD"),
    "date-form": Rule(W, "the date is not written as YYYY-MM-DD; it was understood", "write dates as YYYY-MM-DD"),
    "datetime-unreadable": Rule(W, "the value is no time in UTC", "write it as 2026-11-24T08:00:00.000Z"),
    "year-unreadable": Rule(W, "the value is no year", "write the year in which the school year ends, as YYYY"),
    "grade-form": Rule(W, "a grade is not in its two-character form; it was understood", "write 05, KG, PK"),
    "grade-unknown": Rule(W, "a grade is none of the common codes", "write IT PR PK TK KG 01 to 13 PS UG Other"),
    "user-ids-form": Rule(W, "an item of userIds is not {type:id}", "write {type:id}, separated by commas"),
    "email-unlikely": Rule(W, "the value is no e-mail address", "correct it or leave it blank"),
    "nces-id-unlikely": Rule(
        W,
        "the identifier is no NCES id; it is kept as the district's own number",
        "give the 12-digit NCES id (7 digits for a district)",
    ),
    "nces-id-form": Rule(
        W,
        "the NCES id has lost its leading zero, or has hyphens or blanks; it was repaired",
        "write its 12 digits (7 for a district) as text",
    ),
    "nces-id-elsewhere": Rule(
        W, "the school's NCES id does not begin with its district's", "check both identifiers in the NCES directory"
    ),
    "subject-codes-length": Rule(
        W, "subjects and subjectCodes differ in length", "give one code for each subject, or none of both"
    ),
    "dates-reversed": Rule(W, "it ends before it begins, or on the same day", "correct the two dates"),
    "delta-field-in-bulk": Rule(W, "the value must be blank in a bulk file", "leave it blank in bulk files"),
}

_ACROSS = {
    "reference-nowhere": Rule(
        E + W, "the record it names is not in the delivery", "add that record, or correct the id"
    ),
    "reference-deleted": Rule(W, "the record it names is marked tobedeleted", "end or move this record as well"),
    "parent-cycle": Rule(W, "following the parents leads back to the record itself", "correct parentSourcedId"),
    "org-not-a-school": Rule(W, "the org it names is no school", "name the school"),
    "session-not-a-year": Rule(W, "the session it names is no schoolYear", "name the school year"),
    "student-as-teacher": Rule(
        E, "a student is enrolled as a teacher of the class", "correct the enrollment's role, or the person's"
    ),
    "staff-as-student": Rule(
        W, "somebody who is no student is enrolled as a student", "correct the enrollment's role, or the person's"
    ),
    "primary-not-a-teacher": Rule(W, "primary is true where the role is not teacher", "set primary for teachers only"),
    "primary-doubled": Rule(W, "the class has a primary teacher already", "mark one teacher of a class as primary"),
    "class-without-teacher": Rule(W, "nobody is enrolled as a teacher of the class", "enroll its teacher"),
    "school-differs": Rule(W, "the school is not that of the class", "give the class's school"),
    "enrollment-doubled": Rule(
        W, "the same person is enrolled in the same class in the same role already", "send each enrollment once"
    ),
    "enrollment-outside-term": Rule(W, "the dates lie outside of the class's sessions", "correct the dates"),
    "enrollment-long-ended": Rule(W, "the enrollment ended more than a year ago", "send current enrollments only"),
    "username-doubled": Rule(W, "another person has the same username", "give everybody their own username"),
    "email-doubled": Rule(W, "another person has the same e-mail address", "give everybody their own address"),
}

_TIME = {
    "delta-without-base": Rule(
        F + W,
        "a delta file came, but there is no accepted delivery that it could change",
        "send every file in bulk once",
    ),
    "delta-field-missing": Rule(W, "the value must be filled in a delta file", "fill status and dateLastModified"),
    "delete-unknown": Rule(W, "a record is to be deleted that was never delivered", "nothing, if that was meant"),
    "rows-fewer": Rule(
        W, "fewer than half of the rows of the last good delivery have come", "check that the export is complete"
    ),
    "ids-changed": Rule(
        W,
        "fewer than half of the sourcedIds of the last good delivery have come again",
        "tell the vendor before you change how sourcedIds are made: classes and sign-ins hang on them",
    ),
}

_VERSION_1_2 = {
    "role-missing": Rule(E, "no row of roles.csv gives the person a role that is known", "add the person's roles"),
    "role-primary-doubled": Rule(W, "the person has two primary roles at one org", "mark one role of them as primary"),
    "profile-of-another": Rule(W, "the role's user profile belongs to somebody else", "name a profile of the person"),
    "primary-org-without-role": Rule(W, "the person has no role at their primary org", "add the role or correct it"),
    "resource-outside-class": Rule(
        W, "the person is not enrolled in the class for which they are given the resource", "correct the class"
    ),
}

GROUPS: dict[str, dict[str, Rule]] = {
    "The package": _PACKAGE,
    "The manifest": _MANIFEST,
    "A file and its header": _FILE,
    "A row and its values": _ROW,
    "Between rows and files": _ACROSS,
    "Between deliveries": _TIME,
    "OneRoster 1.2 only": _VERSION_1_2,
}
"""The rules by what they are about."""

RULES: dict[str, Rule] = {name: rule for group in GROUPS.values() for name, rule in group.items()}
"""Every rule by its id."""

_THROUGH_AN_API: dict[str, tuple[str, str]] = {
    "file-missing": ("the API does not give it", "let the vendor's application read it"),
    "file-empty": ("there is not one record", "share the records with the vendor's application"),
    "file-unusable": ("not one record can be used", "mend what its findings say"),
    "lines-lost": ("the records that were pulled cannot be read back", "nothing: the vendor pulls them again"),
    "value-spreadsheet": (
        "a spreadsheet has turned the value into a number such as 1.23E+11, or into an error; it is lost",
        "correct it where it was imported from a spreadsheet",
    ),
    "delta-without-base": (
        "only changes came, but there is no accepted delivery that they could change",
        "nothing: the vendor pulls every record",
    ),
    "delta-field-missing": (
        "a changed record does not have the value",
        "fill status and dateLastModified; the vendor can pull every record instead",
    ),
    "rows-fewer": (
        "fewer than half of the records of the last good delivery have come",
        "check that the vendor's application may read all of them",
    ),
    "role-missing": ("none of the person's roles is known", "add the person's roles"),
}


def words(rule: str, file: str) -> tuple[str, str]:
    """Give a rule's message and remedy.

    Args:
        rule: Its id.
        file: Where it was broken; the collections of an API have no ending.
    """
    of = RULES[rule]
    return (of.message, of.remedy) if "." in file else _THROUGH_AN_API.get(rule, (of.message, of.remedy))
