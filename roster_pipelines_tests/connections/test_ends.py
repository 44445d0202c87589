"""Whether a file was written to its end is told by its first and last bytes."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipelines.connections.ends import CSV_BYTES, ZIP_TAIL, csv_ends, zip_ends

USERS = b"sourcedId,status,givenName,email\n1,active,Ana,a@x.example\n2,active,Ben,b@x.example\n"


def zipped(comment: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", USERS)
        archive.writestr("orgs.csv", b"sourcedId\n")
        archive.comment = comment
    return stream.getvalue()


def ends(content: bytes) -> bool:
    return csv_ends(content[:CSV_BYTES], content[-CSV_BYTES:])


@pytest.mark.parametrize("comment", [b"", b"made by a script", b"x" * 65_535])
def test_a_whole_zip_ends(comment: bytes) -> None:
    assert zip_ends(zipped(comment)[-ZIP_TAIL:])


@given(st.integers(min_value=0))
def test_a_zip_whose_last_bytes_are_missing_does_not_end(kept: int) -> None:
    whole = zipped(b"a comment")
    assert not zip_ends(whole[: kept % len(whole)])


@pytest.mark.parametrize(
    "content",
    [
        USERS,
        USERS.rstrip(b"\n"),
        USERS.replace(b"\n", b"\r\n"),
        USERS.replace(b"\n", b"\r"),
        USERS.replace(b",", b"\t").rstrip(),
        USERS + b"\n\n",
        b"sourcedId,status,givenName,email",
        b"sourcedId\n1\n2",
        b"\xef\xbb\xbf" + USERS,
        USERS.decode().encode("utf-16"),
        b'sourcedId,title\n1,"Music, Grade 1"',
        b'sourcedId,title,note\n1,"Music, Grade 1",',
    ],
)
def test_a_file_whose_last_row_could_be_whole_ends(content: bytes) -> None:
    assert ends(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"sourcedId,status,givenName,email\n1,active,Ana",
        b"sourcedId;status;email\r\n1;active;a@x.example\r\n2",
        b'sourcedId,title,note\n1,"Music, Gra',
        b'sourcedId,title,note\n1,"Music, Grade 1"',
    ],
)
def test_a_file_that_breaks_off_within_a_row_does_not_end(content: bytes) -> None:
    assert not ends(content)


@given(st.integers(min_value=0))
def test_a_file_cut_anywhere_does_not_end_but_behind_a_row_or_in_its_last_cell(kept: int) -> None:
    long = USERS.splitlines(keepends=True)[0] + USERS.splitlines(keepends=True)[1] * 1000
    content = long[: kept % len(long)]
    last = content.rsplit(b"\n", 1)[-1]
    assert ends(content) == (content != b"" and (last == b"" or last.count(b",") == 3 or content.count(b"\n") == 0))


def test_a_header_longer_than_what_is_read_tells_nothing() -> None:
    assert ends(b",".join(b"metadata.column%d" % n for n in range(2000)) + b"\n1,2")
