"""What stands wrong with the package: its zip, and which files came."""

import os
import zipfile
from collections.abc import Callable

from roster_pipelines_tests.staging.catalogue.fault import Fault, Group, Plant, faults_of, in_file
from roster_pipelines_tests.staging.catalogue.ground import Ground

ZIP = "roster.zip"
Edit = Callable[[zipfile.ZipFile], None]


def packed(
    edit: Edit = lambda _: None, *, within: str = "", method: int = zipfile.ZIP_DEFLATED, without: str = "nothing"
) -> Plant:
    """Zip the district, in a folder or not; then do something to the zip before it is closed."""

    def plant(ground: Ground) -> None:
        with zipfile.ZipFile(ground.folder / ZIP, "w", method) as archive:
            for path in sorted(ground.folder.glob("*.csv")):
                if path.stem != without:
                    archive.write(path, within + path.name)
                path.unlink()
            edit(archive)

    return plant


def holding(**contents: bytes) -> Plant:
    """Zip something else instead of the district."""

    def edit(archive: zipfile.ZipFile) -> None:
        for name, content in contents.items():
            archive.writestr(name.replace("__", "."), content)

    def plant(ground: Ground) -> None:
        for path in ground.folder.glob("*.csv"):
            path.unlink()
        packed(edit)(ground)

    return plant


def damaged(ground: Ground) -> None:
    packed()(ground)
    path = ground.folder / ZIP
    path.write_bytes(path.read_bytes()[:-100])


def encrypted(archive: zipfile.ZipFile) -> None:
    archive.filelist[-1].flag_bits |= 1


def of_many_entries(archive: zipfile.ZipFile) -> None:
    for number in range(1001):
        archive.writestr(f".{number}", b"")


def of_terabytes(archive: zipfile.ZipFile) -> None:
    archive.filelist[-1].file_size = 1 << 40


def beside(ground: Ground) -> None:
    with zipfile.ZipFile(ground.folder / ZIP, "w") as archive:
        archive.write(ground.folder / "users.csv", "users.csv")


def of_zip(what: str, rule: str, plant: Plant, severity: str = "fatal") -> Fault:
    return Fault(what, rule, severity, ZIP, "", plant)


ZIPS = (
    of_zip("a zip whose upload broke off", "zip-damaged", damaged),
    of_zip("a zip with a password", "zip-encrypted", packed(encrypted)),
    of_zip("a zip of a thousand files", "zip-entries", packed(of_many_entries)),
    of_zip("a zip that says it holds a terabyte", "zip-size", packed(of_terabytes)),
    of_zip("a zip that unpacks to a thousand times its size", "zip-ratio", holding(users__csv=bytes(11 << 20))),
    of_zip("a zip packed by bzip2", "zip-method", packed(method=zipfile.ZIP_BZIP2)),
    of_zip("a path in the zip climbs out of it", "zip-path", packed(within="../")),
    of_zip("a path in the zip is absolute", "zip-path", packed(within="C:\\roster\\")),
    of_zip("the files lie in a folder of the zip", "zip-folder", packed(within="roster/"), "info"),
    of_zip("a zip in the zip", "zip-nested", packed(lambda archive: archive.writestr("all.zip", b""))),
    of_zip("a zip of what a desktop leaves behind", "zip-empty", holding(__DS_Store=b"", Thumbs__db=b"")),
    of_zip("a zip beside CSV files", "zip-beside-files", beside),
    in_file(
        "a file in two names",
        "file-doubled",
        "fatal",
        "users",
        lambda ground: ground.write("users_20261122", ground.text("users")),
    ),
    in_file(
        "a file twice in the zip",
        "file-doubled",
        "fatal",
        "users",
        packed(lambda archive: archive.writestr("USERS.csv", b"sourcedId\n")),
    ),
)
"""Each of these is all that there is to say of a delivery before a file of it is read."""


def emptied(*tables: str) -> Plant:
    """Leave the header of files only."""

    def plant(ground: Ground) -> None:
        for table in tables:
            ground.change(table, lambda text: text.partition("\n")[0] + "\n")

    return plant


def nothing_of(table: str) -> Plant:
    return lambda ground: ground.write(table, "")


def gone(*tables: str) -> Plant:
    return lambda ground: ground.remove(*tables)


def never_there(table: str) -> Plant:
    def plant(ground: Ground) -> None:
        ground.remove(table)
        ground.declare(**{table: "absent"})

    return plant


def named(table: str, name: str) -> Plant:
    return lambda ground: ground.rename(table, name)


def other(table: str) -> Plant:
    return lambda ground: ground.write(table, "sourcedId,status\n1,\n")


def left_from_the_night_before(table: str) -> Plant:
    def plant(ground: Ground) -> None:
        path = ground.folder / f"{table}.csv"
        yesterday = path.stat().st_mtime - 24 * 3600
        os.utime(path, (yesterday, yesterday))

    return plant


def one_class(ground: Ground) -> None:
    """A district of one class with its teacher, and nobody else enrolled."""
    seat = next(row for row in ground.rows("enrollments").values() if row["role"] == "teacher")
    for table, sourced_id in (("classes", seat["classSourcedId"]), ("enrollments", seat["sourcedId"])):
        header, *lines = ground.text(table).splitlines()
        ground.write(table, "\n".join([header, *(line for line in lines if line.startswith(f"{sourced_id},"))]) + "\n")


CAME = Group(
    "what came",
    (
        in_file(
            "a file that the manifest declares is missing", "file-missing", "fatal", "enrollments", gone("enrollments")
        ),
        in_file(
            "a file that nobody needs and the manifest declares is missing",
            "file-missing",
            "warning",
            "resources",
            gone("resources"),
        ),
        in_file("a file has a header only", "file-empty", "fatal", "users", emptied("users")),
        in_file(
            "a file has nothing in it at all", "file-empty", "fatal", "academicSessions", nothing_of("academicSessions")
        ),
        in_file(
            "orgs have a header only where teachers have access codes", "file-empty", "info", "orgs", emptied("orgs")
        ),
        in_file("a file's name is in capitals", "file-name", "warning", "classes", named("classes", "CLASSES.CSV")),
        in_file(
            "a file's name has a date", "file-name", "warning", "courses", named("courses", "courses_2026-11-22.csv")
        ),
        in_file(
            "a file was not uploaded with the others",
            "files-apart",
            "warning",
            "orgs",
            left_from_the_night_before("orgs"),
        ),
        in_file("a file is none of OneRoster's", "file-unknown", "warning", "parents", other("parents")),
        in_file("a gradebook file", "file-not-used", "info", "results", other("results")),
        in_file("demographics", "file-never-stored", "info", "demographics", other("demographics")),
    ),
    resources=True,
)
REGISTRATION = Group(
    "auto-registration",
    (
        in_file("orgs have a header only", "file-empty", "fatal", "orgs", emptied("orgs")),
        in_file("there are no courses", "file-missing", "fatal", "courses", never_there("courses")),
        in_file("there are no resources", "file-missing", "fatal", "resources", lambda _: None),
        in_file("there is no file of classes' resources", "file-missing", "fatal", "classResources", lambda _: None),
        in_file("there is no file of courses' resources", "file-missing", "fatal", "courseResources", lambda _: None),
    ),
    registration="auto_by_resource",
)
LINKS = Group(
    "resources that nobody uses",
    (
        in_file(
            "no class and no course uses a resource",
            "file-empty",
            "fatal",
            "classResources",
            emptied("classResources", "courseResources"),
        ),
    ),
    registration="auto_by_resource",
    resources=True,
)
UNUSABLE = Group(
    "nothing usable",
    (
        in_file(
            "the only enrollment is of nobody",
            "value-missing",
            "error",
            "enrollments.userSourcedId",
            lambda ground: ground.set("enrollments", 2, userSourcedId=""),
        ),
        in_file("no row of a required file can be used", "file-unusable", "fatal", "enrollments", lambda _: None),
    ),
    prepare=one_class,
)

GROUPS = (*(Group(fault.what, (fault,)) for fault in ZIPS), CAME, REGISTRATION, LINKS, UNUSABLE)
FAULTS = faults_of(*GROUPS)
