"""Whether a file on a server reaches its end, from its first and last bytes alone."""

import re
import struct

ZIP_TAIL = 22 + 65_535
"""Bytes at a zip's end among which its directory's end stands: the record itself and the longest comment."""
CSV_BYTES = 16 * 1024
"""Bytes at either end of a CSV file that hold its header and its last row."""

_QUOTED = re.compile(rb'"[^"]*(?:"|$)')
_SEPARATORS = (b",", b";", b"\t")


def zip_ends(tail: bytes) -> bool:
    """Say whether a zip was written to its end: only then its directory stands there, followed by its comment.

    Args:
        tail: Its last bytes, up to `ZIP_TAIL` of them.
    """
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return False
    (comment,) = struct.unpack_from("<H", tail, at + 20)
    return bool(at + 22 + comment == len(tail))


def csv_ends(head: bytes, tail: bytes) -> bool:
    """Say whether a CSV file's last row could be whole.

    It cannot where no line end follows it and it has fewer cells than the header; nor does a file end that has nothing
    in it yet. Of UTF-16 nothing is said.

    Args:
        head: The first bytes, up to `CSV_BYTES` of them.
        tail: The last bytes, as many.
    """
    if not head:
        return False
    header, *more = _lines(head)
    last = _lines(tail)[-1]
    if b"\0" in head or not last.strip() or (not more and len(head) >= CSV_BYTES):
        return True
    separator = max(_SEPARATORS, key=header.count)
    return _QUOTED.sub(b"", last).count(separator) >= _QUOTED.sub(b"", header).count(separator)


def _lines(content: bytes) -> list[bytes]:
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
