"""What PowerSchool asks of a plugin.xml: what must be there, how often, and how long it may be.

What is not named here passes: PowerSchool has added elements and attributes since these rules were published, and what
it supplies to its partners is not public.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from roster_pipelines.errors import CallSomebody

NAMESPACE = "http://plugin.powerschool.pearson.com"


@dataclass(frozen=True)
class _Rule:
    """Of an attribute: how many characters it may have, whether it must be there, and what it may say."""

    longest: int = 256
    needed: bool = False
    one_of: tuple[str, ...] = ()

    def problem(self, value: str | None) -> str | None:
        """Say what is wrong with a value, without repeating it."""
        if value is None or (self.needed and not value.strip()):
            return "is missing" if self.needed else None
        if self.one_of and value not in self.one_of:
            return f"is none of {', '.join(self.one_of)}"
        if len(value) > self.longest:
            return f"has {len(value)} characters and may have {self.longest}"
        return None


_BOOLEAN = _Rule(one_of=("true", "false", "1", "0"))
_ADDRESS = _Rule(1000, needed=True)

# By the element's path.
_ATTRIBUTES = {
    "plugin": {
        "name": _Rule(40, needed=True),
        "version": _Rule(20),
        "description": _Rule(256),
        "class": _Rule(256),
        "deletable": _BOOLEAN,
    },
    "plugin/registration": {"url": _ADDRESS},
    "plugin/oauth": {"account_token": _Rule(256)},
    "plugin/access_request/field": {
        "table": _Rule(30, needed=True),
        "field": _Rule(30, needed=True),
        "access": _Rule(needed=True, one_of=("ViewOnly", "FullAccess")),
    },
    "plugin/openid": {"host": _Rule(256, needed=True)},
    "plugin/saml": {
        "name": _Rule(256, needed=True),
        "nameid-format": _Rule(one_of=("unspecified", "transient", "persistent")),
    },
    "plugin/publisher": {"name": _Rule(100, needed=True)},
    "plugin/publisher/contact": {"email": _Rule(40, needed=True), "phone": _Rule(20)},
}
_AT_MOST_ONCE = {
    "plugin": {
        "registration", "oauth", "access_request", "openid", "saml", "links", "publisher", "autoinstall",
        "identityAttribute",
    },
    "plugin/publisher": {"contact"},
}  # fmt: skip
_NEEDED = {"plugin": "publisher", "plugin/publisher": "contact"}


def check(xml: bytes) -> None:
    """See that PowerSchool would take a plugin.xml.

    Args:
        xml: The whole file.

    Raises:
        CallSomebody: It would not; everything that is wrong is named.
    """
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314 - what we wrote ourselves
    except ElementTree.ParseError as error:
        raise CallSomebody(
            f"plugin.xml is not well-formed in line {error.position[0]}", "close and quote what is open there"
        ) from None
    if root.tag != f"{{{NAMESPACE}}}plugin":
        raise CallSomebody("plugin.xml does not begin with <plugin>", f'begin with <plugin xmlns="{NAMESPACE}">')
    found = list(_problems(root, "plugin"))
    if found:
        raise CallSomebody(f"PowerSchool would refuse this plugin.xml: {'; '.join(found)}", "change what is named")


def _problems(element: ElementTree.Element, path: str) -> Iterator[str]:
    name = f"<{path.rpartition('/')[2]}>"
    for attribute, rule in _ATTRIBUTES.get(path, {}).items():
        problem = rule.problem(element.get(attribute))
        if problem:
            yield f"{attribute} of {name} {problem}"
    for attribute, value in element.items():
        # As what is left of a template has them, name="<your name>": with these the installation fails.
        if "<" in value or ">" in value:
            yield f"{attribute} of {name} holds < or >"
    children = [(child, child.tag.removeprefix(f"{{{NAMESPACE}}}")) for child in element]
    times = Counter(child for _, child in children)
    needed = _NEEDED.get(path)
    if needed and not times[needed]:
        yield f"<{needed}> is missing in {name}"
    for once in sorted(_AT_MOST_ONCE.get(path, ())):
        if times[once] > 1:
            yield f"<{once}> is there {times[once]} times in {name}"
    for child, called in children:
        yield from _problems(child, f"{path}/{called}")
