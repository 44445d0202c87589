"""What stands wrong in manifest.csv."""

from roster_pipelines_tests.staging.catalogue.fault import Fault, Group, Lines, Plant, faults_of, in_file
from roster_pipelines_tests.staging.catalogue.ground import Ground


def warned(what: str, rule: str, prop: str, plant: Plant) -> Fault:
    return Fault(what, rule, "warning", "manifest.csv", prop, plant)


def written(line: int, text: str) -> Plant:
    """Write a line of the manifest anew."""

    def plant(ground: Ground) -> Lines:
        ground.replace_line("manifest", line, lambda _: text)
        return line

    return plant


def about(table: str, text: str) -> Plant:
    """Write the manifest's line about a file anew."""
    return lambda ground: written(ground.declared(table), text)(ground)


def lacking(ground: Ground) -> None:
    line = ground.declared("lineItems")
    lines = ground.text("manifest").split("\n")
    ground.write("manifest", "\n".join(lines[: line - 1] + lines[line:]))


def added(text: str) -> Plant:
    def plant(ground: Ground) -> int:
        ground.change("manifest", lambda before: f"{before}{text}\n")
        return ground.text("manifest").count("\n")

    return plant


def declared_absent(ground: Ground) -> None:
    ground.declare(courses="absent")


def headless(ground: Ground) -> int:
    ground.change("manifest", lambda text: text.partition("\n")[2])
    return 1


def unreadable(ground: Ground) -> None:
    ground.write("manifest", "users,bulk\nclasses,bulk\n")


ODD = Group(
    "manifest",
    (
        warned("a property is missing", "manifest-property-missing", "file.lineItems", lacking),
        warned("the header is in capitals", "column-case", "value", written(1, "propertyName,VALUE")),
        warned(
            "a spreadsheet has written 1 for 1.0",
            "manifest-version",
            "manifest.version",
            written(2, "manifest.version,1"),
        ),
        warned("a file stands there twice", "manifest-property-doubled", "file.users", added("file.users,bulk")),
        warned(
            "a property is misspelt",
            "manifest-property-unknown",
            "fiel.demographics",
            added("fiel.demographics,absent"),
        ),
        warned("a property is of 1.2", "manifest-property-unknown", "file.roles", added("file.roles,absent")),
        warned(
            "a property is in small letters",
            "manifest-property-case",
            "file.academicSessions",
            about("academicSessions", "file.academicsessions,bulk"),
        ),
        warned("a mode is in capitals", "manifest-value-case", "file.users", about("users", "file.users,BULK")),
        warned(
            "the mode of a file that is not used is none",
            "manifest-value",
            "file.results",
            about("results", "file.results,none"),
        ),
        in_file(
            "a file is there that is declared absent", "file-declared-absent", "warning", "courses", declared_absent
        ),
    ),
)
FOREIGN = Group(
    "a spreadsheet's manifest",
    (
        warned("the manifest has no header", "header-missing", "", headless),
        warned(
            "the manifest is separated by semicolons",
            "separator",
            "",
            lambda ground: ground.change("manifest", lambda text: text.replace(",", ";")),
        ),
        warned(
            "the manifest is UTF-16",
            "encoding-utf-16",
            "",
            lambda ground: ground.write("manifest", ground.text("manifest").encode("utf-16")),
        ),
    ),
)
UNREADABLE = in_file("the manifest is no manifest", "manifest-unreadable", "fatal", "manifest", unreadable)
VERSION = Fault(
    "the manifest says 1.0",
    "version-unsupported",
    "fatal",
    "manifest.csv",
    "oneroster.version",
    written(3, "oneroster.version,1.0"),
)
MODE = Fault(
    "a mode is none",
    "manifest-value",
    "fatal",
    "manifest.csv",
    "file.academicSessions",
    about("academicSessions", "file.academicSessions,complete"),
)
MISSING = in_file("there is no manifest", "manifest-missing", "warning", "manifest", lambda g: g.remove("manifest"))

# Those that leave everything else as it was stand in groups of other modules.
ELSEWHERE = (MISSING, UNREADABLE, VERSION, MODE)
GROUPS = (ODD, FOREIGN)
FAULTS = [*faults_of(*GROUPS), *ELSEWHERE]
