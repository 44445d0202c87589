"""What is to be done where a step fails: in words that the district's administrator can be sent, or for us."""

from typing import Literal

from roster_pipelines.district_connection import ClassLinkConnection, Connection

Way = Literal["sftp", "classlink", "classlink_direct", "infinite_campus", "powerschool"]
Cause = Literal[
    "ours", "name", "unreachable", "certificate", "credentials", "address", "ill", "permission", "empty", "fields",
    "host_key", "login", "folder", "files",
]  # fmt: skip

PROVIDERS: dict[Way, str] = {
    "sftp": "sFTP",
    "classlink": "ClassLink",
    "classlink_direct": "ClassLink",
    "infinite_campus": "Infinite Campus",
    "powerschool": "PowerSchool",
}
_OURS: dict[Way, frozenset[Cause]] = {
    # The server is ours more often than the district's; what lies on it is the district's.
    "sftp": frozenset({"name", "unreachable", "host_key", "login", "folder"}),
    # The proxy is ClassLink's.
    "classlink": frozenset({"name", "unreachable", "certificate"}),
}
_SAFELY = "the secret in a way that nobody else can read, so not by e-mail"
_WORDS: dict[Cause, str] = {
    "name": "Please look at the address that we have from you: the internet knows no server of that name. A name that "
    "only your own network knows cannot be reached from outside.",
    "unreachable": "Please see whether the server is running, and whether a firewall or a list of allowed addresses "
    "keeps us out. We can tell you the address that we call from.",
    "certificate": "Please have the server's certificate put right: it must be in force, made out to this very name, "
    "and sent together with those between it and an authority that is known to everybody. We connect to no server "
    "that cannot prove who it is.",
    "ill": "Please see whether {provider} was under maintenance or busy at that time, and whether a page for people to "
    "log in stands before it. If all is well there, its support can tell what became of our request.",
    "permission": "Please let our application read this in {provider}: without it nobody can be rostered.",
    "empty": "Please see whether your data are being loaded anew, and whether what our application may read in "
    "{provider} is limited too much.",
    "fields": "Please let our application read these fields as well, and see that they are filled in: a record "
    "without them cannot be used.",
    "files": "Please upload all files of the roster: each of them once, or one zip that holds them all and nothing "
    "beside it.",
}
_OF_A_WAY: dict[Way, dict[Cause, str]] = {
    "classlink": {
        "credentials": "Please see in ClassLink whether our application is turned on for your district, and whether "
        "it may read rosters.",
        "address": "Please see in ClassLink whether our application may read rosters.",
    },
    "classlink_direct": {
        "credentials": "Please see in ClassLink whether our application is turned on. If its key or secret are others "
        f"by now, send us both again, {_SAFELY}.",
        "address": "Please send us the address of your Roster Server (endpoint_url) again, copied whole.",
    },
    "infinite_campus": {
        "credentials": "Please open our application in Digital Learning Applications Configuration: its OneRoster "
        "connection may be disabled or past its expiry date. Renew it, and send us all four values of Information to "
        f"Share (Client ID, Client Secret, Token URL, Base URL), each copied whole, {_SAFELY}.",
        "address": "Please send us Token URL and Base URL again as Information to Share shows them now, each copied "
        "whole. Addresses of the older shape end with Campus.2651; then generate the values anew, in the same version.",
    },
    "powerschool": {
        "credentials": "Please open System, System Settings (older: Server), Plugin Management: our plugin must be "
        "enabled. Then send us the Client ID and the Client Secret that its Data Configuration shows now, "
        f"{_SAFELY}. A secret that was made anew ends the one before.",
        "address": "Please see whether our plugin is enabled and PowerSchool's own Universal Rostering plugin is "
        "installed, and tell us the address at which you open PowerSchool.",
    },
}


def way_of(connection: Connection) -> Way:
    """Say by which way a connection's roster comes."""
    if isinstance(connection, ClassLinkConnection) and connection.is_direct:
        return "classlink_direct"
    return connection.kind


def remedy(way: Way, cause: Cause, ours: str) -> tuple[str, bool]:
    """Say what is to be done.

    Args:
        way: By which way the roster comes.
        cause: What is wrong.
        ours: What we do where it is for us.

    Returns:
        The words, and whether they are for us.
    """
    if cause == "ours" or cause in _OURS.get(way, ()):
        return ours, True
    words = _OF_A_WAY.get(way, {}).get(cause) or _WORDS[cause]
    return words.format(provider=PROVIDERS[way]), False
