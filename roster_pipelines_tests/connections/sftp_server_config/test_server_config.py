"""The sFTP server's configuration: who gets an account, that no value can add to it, the same bytes each time."""

import base64
import itertools
from typing import Any

import pytest

from roster_pipelines.connections.sftp_server_config import server as servers
from roster_pipelines.connections.sftp_server_config.accounts import NO_PASSWORD, accounts
from roster_pipelines.connections.sftp_server_config.files import INSTALL, MADE, NAMES, files
from roster_pipelines.connections.sftp_server_config.server import Server
from roster_pipelines.district import District, checked
from roster_pipelines.errors import CallSomebody

HASH = "$6$saltsalt$" + "a" * 86
# At once: for looks, comparisons and runs.
SESSIONS_OF_THE_PIPELINES = 16


def ed25519(number: int) -> str:
    """A public key as its file has it."""
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes([number]) * 32
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def rsa(bits: int) -> str:
    number = (1 << bits - 1).to_bytes(bits // 8 + 1, "big")
    parts = (b"ssh-rsa", b"\1\0\1", number)
    return f"ssh-rsa {base64.b64encode(b''.join(len(p).to_bytes(4, 'big') + p for p in parts)).decode()}"


def district(name: str = "maple-valley", **upload: Any) -> District:
    connection: dict[str, Any] = {"kind": "sftp", "host": "h", "username": "roster", "password": "env:P"}
    if upload:
        connection["upload"] = {"authorized_keys": [ed25519(1)], "addresses": ["203.0.113.7"]} | upload
    record = {"district": name, "name": name, "sign_in": {"provider": "classlink"}, "connection": connection}
    return checked(record, f"{name}.yaml")


def with_account(name: str = "maple-valley", **upload: Any) -> District:
    return district(name, **({"username": name} | upload))


def written(*of: District, server: Server | None = None, hashed: str = HASH) -> dict[str, str]:
    server = server or Server()
    return files(server, accounts(of, server, lambda _: hashed)[0])


def told(of: District) -> list[str]:
    """The lines that a district has in the file of accounts."""
    return [line for line in written(of)["passwd"].splitlines() if not line.startswith("#")]


def test_a_district_gets_an_account_with_a_root_of_its_own_named_by_its_key() -> None:
    made = written(with_account("maple-valley", username="maple"))
    assert made["passwd"].splitlines()[1:] == ["maple:*:22022:22022::/srv/roster-sftp/maple-valley:/usr/sbin/nologin"]
    assert made["folders"].splitlines()[1:] == ["maple-valley"]
    assert ed25519(1).split()[1] in made["keys/maple"].replace("\n", "")
    assert made["allow/maple"].splitlines()[1:] == ["proftpd: 203.0.113.7"]
    assert "  From 203.0.113.7\n" in made["proftpd.conf"]


def test_without_a_user_name_it_is_the_districts_key() -> None:
    assert told(district(username=None))[0].startswith("maple-valley:*:")


def test_who_gets_none_is_told_with_the_reason() -> None:
    api = {"kind": "powerschool", "base_url": "https://s.example", "client_id": "1", "client_secret": "env:S"}
    others = [
        district("birch"),
        checked({"district": "dogwood", "name": "d", "connection": api}, "d"),
    ]
    given, without = accounts([with_account("alder"), *others], Server(), str)
    assert [account.folder for account in given] == ["alder"]
    assert without == {
        "birch": "its record has no upload",
        "dogwood": "its data come by powerschool",
    }


def test_a_paused_district_can_go_on_uploading() -> None:
    given, _ = accounts([with_account("alder").model_copy(update={"stage": "paused"})], Server(), str)
    assert [account.folder for account in given] == ["alder"]


def test_a_password_is_written_as_its_hash_only_and_without_one_no_password_fits() -> None:
    assert told(with_account(password_hash="env:H"))[0].split(":")[1] == HASH
    assert told(with_account())[0].split(":")[1] == NO_PASSWORD
    assert "keys/maple-valley" not in written(with_account(authorized_keys=[], password_hash="env:H"))


@pytest.mark.parametrize(
    "hashed",
    ["bluebird", "", "*", "abJnggxhB/yWI", "$1$salt$" + "a" * 22, f"{HASH}:0:0", f"{HASH}\nroot:x:0:0", f"{HASH} "],
    ids=["the password", "nothing", "none", "DES", "MD5", "more fields", "another line", "a blank"],
)
def test_what_is_no_strong_hash_is_refused_without_being_repeated(hashed: str) -> None:
    with pytest.raises(CallSomebody, match="maple-valley: the secret env:H is no strong crypt hash") as failed:
        written(with_account(password_hash="env:H"), hashed=hashed)
    assert not hashed or hashed == "*" or hashed not in str(failed.value)


@pytest.mark.parametrize(("one", "other"), [("same", "same"), ("same", "SAME"), ("birch", None)])
def test_two_districts_of_one_user_name_are_refused(one: str, other: str | None) -> None:
    with pytest.raises(CallSomebody, match="is taken by"):
        written(district("alder", username=one), district("birch", username=other))


@pytest.mark.parametrize("name", ["roster", "Roster", "root"])
def test_no_district_can_have_the_pipelines_name_or_roots(name: str) -> None:
    server = Server(reader=servers.reader("roster", [ed25519(2)], ["127.0.0.1"]))
    with pytest.raises(CallSomebody, match=f"maple-valley: the user name {name} is taken by"):
        written(with_account(username=name), server=server)


def test_the_pipelines_account_is_in_the_root_of_all_by_key_from_its_address_and_as_another_user() -> None:
    server = Server(reader=servers.reader("roster", [f"{ed25519(2)} me@here\n"], ["198.51.100.20"]))
    made = written(with_account(), server=server)
    assert made["passwd"].splitlines()[1] == "roster:*:22023:22022::/srv/roster-sftp:/usr/sbin/nologin"
    assert made["allow/roster"].splitlines()[1:] == ["proftpd: 198.51.100.20"]
    assert "me@here" not in "".join(made.values()), "a comment may be a person's name"


def test_the_same_registry_gives_the_same_bytes_in_whatever_order_it_comes() -> None:
    three = [with_account(name, addresses=["203.0.113.9", "203.0.113.7"]) for name in ("alder", "birch", "cedar")]
    first, *others = [written(*order) for order in itertools.permutations(three)]
    assert all(other == first for other in others)
    assert [list(other) for other in others] == [list(first)] * len(others)


def test_every_file_says_who_made_it_and_stands_where_it_is_expected() -> None:
    made = written(with_account(password_hash="env:H"))
    assert all(MADE in text.splitlines()[0] + text.splitlines()[1] for text in made.values())
    assert {name.partition("/")[0] for name in made} == NAMES


@pytest.mark.parametrize(
    ("address", "listed", "known"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7", "203.0.113.7"),
        ("203.0.113.0/28", "203.0.113.0/255.255.255.240", "203.0.113.0/28"),
        ("2001:DB8::0:7", "[2001:db8::7]", "2001:db8::7"),
        ("2001:db8:7::/48", "[2001:db8:7::]/48", "2001:db8:7::/48"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]", "::1"),
    ],
)
def test_addresses_are_written_as_each_of_the_servers_lists_wants_them(address: str, listed: str, known: str) -> None:
    made = written(with_account(addresses=[address]))
    assert made["allow/maple-valley"].splitlines()[1:] == [f"proftpd: {listed}"]
    assert f"  From {known}\n" in made["proftpd.conf"]


def test_without_any_account_nobody_is_known() -> None:
    assert "<Class known>\n  From none\n</Class>" in written()["proftpd.conf"]


@pytest.mark.parametrize(
    ("upload", "why"),
    [
        ({"addresses": ["10.0.0.5"]}, "addresses.0: is an address inside of a network"),
        ({"addresses": ["fd00::1"]}, "addresses.0: is an address inside of a network"),
        ({"addresses": ["172.16.0.0/15"]}, "addresses.0: lets half the world in"),
        ({"addresses": ["0.0.0.0/0"]}, "addresses.0: lets half the world in"),
        ({"addresses": ["::/0"]}, "addresses.0: lets half the world in"),
        ({"addresses": ["203.0.113.7/28"]}, "addresses.0: is no public IP"),
        ({"addresses": ["ALL"]}, "addresses.0: is no public IP"),
        ({"addresses": ["203.0.113.7 ALL"]}, "addresses.0: is no public IP"),
        ({"addresses": ["203.0.113.7\nALL: ALL"]}, "addresses.0: is no public IP"),
        ({"addresses": ["2001:db8::7%eth0\nALL"]}, "addresses.0: is no public IP"),
        ({"addresses": ["fe80::1"]}, "addresses.0: is an address inside of a network"),
        ({"addresses": ["0.0.0.0"]}, "addresses.0: is an address that nobody comes from"),
        ({"addresses": ["::"]}, "addresses.0: is an address that nobody comes from"),
        ({"addresses": ["255.255.255.255"]}, "addresses.0: is an address that nobody comes from"),
        ({"addresses": ["224.0.0.1"]}, "addresses.0: is an address that nobody comes from"),
        ({"addresses": ["239.1.0.0/16"]}, "addresses.0: is an address that nobody comes from"),
        ({"addresses": ["ff02::1"]}, "addresses.0: is an address that nobody comes from"),
        ({"addresses": ["240.0.0.1"]}, "addresses.0: is an address that nobody comes from"),
        ({"addresses": ["4000::1"]}, "addresses.0: is an address that nobody comes from"),
        ({"addresses": ["::/32"]}, "addresses.0: is an address that nobody comes from"),
        ({"addresses": ["::ffff:10.0.0.5"]}, "addresses.0: is an IPv4 address that is written as IPv6"),
        ({"addresses": ["::ffff:203.0.113.7"]}, "addresses.0: is an IPv4 address that is written as IPv6"),
        ({"addresses": []}, "addresses"),
        ({"authorized_keys": []}, "give authorized_keys, password_hash or both"),
        ({"authorized_keys": ["secret"]}, "authorized_keys.0: is no line of a .pub file"),
        ({"authorized_keys": [f"{ed25519(1)}\n{ed25519(2)}"]}, "authorized_keys.0: is no line of a .pub file"),
        ({"authorized_keys": [f"command=x {ed25519(1)}"]}, "authorized_keys.0: is no line of a .pub file"),
        ({"authorized_keys": [ed25519(1)[:-8]]}, "authorized_keys.0: is a public key that was cut"),
        ({"authorized_keys": [f"ssh-rsa {ed25519(1).split()[1]}"]}, "authorized_keys.0: is a public key that was cut"),
        ({"authorized_keys": [rsa(1024)]}, "authorized_keys.0: is an RSA key of fewer than 2048 bits"),
        ({"password_hash": HASH}, "password_hash must say where the secret is"),
        ({"username": "a b"}, "username: not in the form"),
        ({"username": "a:0:0"}, "username: not in the form"),
        ({"username": "../roster"}, "username: not in the form"),
        ({"username": "a\n"}, "username: not in the form"),
        ({"username": "%U"}, "username: not in the form"),
        ({"shell": "/bin/sh"}, "unknown key connection.upload.shell"),
    ],
)
def test_a_record_holds_only_what_can_be_an_account_and_a_mistake_is_told_without_its_value(
    upload: dict[str, Any], why: str
) -> None:
    with pytest.raises(CallSomebody) as failed:
        with_account(**upload)
    assert why in str(failed.value)
    assert "\n" not in str(failed.value)
    assert "secret" not in upload.get("authorized_keys", []) or "secret" not in str(failed.value)
    assert HASH not in str(failed.value)


@pytest.mark.parametrize("kept", [ed25519(3), rsa(2048), f"  {ed25519(3)} somebody@somewhere\n"])
def test_a_key_is_kept_without_its_comment(kept: str) -> None:
    connection: Any = with_account(authorized_keys=[kept]).connection
    assert connection.upload.authorized_keys == (" ".join(kept.split()[:2]),)


@pytest.mark.parametrize(
    "changes",
    [
        {"root": "/srv/a b"}, {"root": "srv"}, {"root": "/srv/../etc"}, {"root": "/"}, {"root": "/srv/"},
        {"etc": "/etc/x\nUser root"}, {"etc": "/etc/%u"}, {"state": "/var/$(id)"}, {"state": "/var/x;id"},
        {"root": "/srv/x", "state": "/srv/x/state"}, {"root": "/a", "etc": "/a"},
        {"listen": "0.0.0.0\nUser root"}, {"listen": "sftp.vendor.example"}, {"listen": ""},
        {"listen": "::1%x\nUser root"}, {"state": "~"},
    ],
)  # fmt: skip
def test_nothing_can_be_put_into_the_configuration_through_an_option(changes: dict[str, str]) -> None:
    with pytest.raises(CallSomebody) as failed:
        servers.checked(Server(**changes))  # type: ignore[arg-type]
    assert "\n" not in str(failed.value)
    assert "User root" not in str(failed.value)


@pytest.mark.parametrize(
    ("name", "key", "address", "option"),
    [
        ("ros ter", ed25519(2), "127.0.0.1", "--reader"),
        ("roster", "no key", "127.0.0.1", "--reader-key"),
        ("roster", ed25519(2), "everywhere", "--reader-address"),
    ],
)
def test_what_is_wrong_with_the_pipelines_account_is_told_by_its_option(
    name: str, key: str, address: str, option: str
) -> None:
    with pytest.raises(CallSomebody, match=f"{option} "):
        servers.reader(name, [key], [address])


def test_the_script_that_installs_removes_nothing_but_the_configuration() -> None:
    script = written(with_account())[INSTALL]
    removed = {line.strip() for line in script.splitlines() if "rm " in line or "rmdir" in line}
    assert removed == {'rm -rf "$etc.new" "$etc.old"', 'rm -rf "$etc"', 'rm -rf "$etc.old"'}


def test_nobody_can_take_every_place_and_the_pipelines_have_room_for_their_sessions() -> None:
    lines = written(with_account())["proftpd.conf"].splitlines()
    most = {name: int(number) for name, _, number in (line.partition(" ") for line in lines) if number.isdigit()}
    account, address = most["MaxClientsPerUser"], most["MaxClientsPerHost"]
    assert SESSIONS_OF_THE_PIPELINES < account <= address < most["MaxConnectionsPerHost"]
    assert 5 * most["MaxConnectionsPerHost"] < most["MaxClients"] < most["MaxInstances"]


def test_the_server_speaks_sftp_only_and_offers_nothing_weak() -> None:
    conf = written(with_account())["proftpd.conf"]
    assert "\nProtocols sftp\n" in conf
    offered = [
        line
        for line in conf.splitlines()
        if line.startswith(("SFTPCiphers", "SFTPDigests", "SFTPKeyE", "SFTPHostKeys"))
    ]
    assert len(offered) == 4
    for weak in ("cbc", "sha1 ", "md5", "ssh-rsa", "ssh-dss", "umac-64", "arcfour", "none", "group1-"):
        assert not [line for line in offered if weak in f"{line} "], weak
