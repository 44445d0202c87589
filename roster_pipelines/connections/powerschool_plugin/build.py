"""plugin.xml and the zip around it: the same words, the same bytes."""

import io
import re
import zipfile
from dataclasses import asdict, dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from roster_pipelines.connections.powerschool_plugin.rules import NAMESPACE, check
from roster_pipelines.errors import CallSomebody
from roster_pipelines.settings import PluginSettings

_ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_OURS = ("name", "version", "description", "xmlns")


@dataclass(frozen=True)
class Supplied:
    """What only PowerSchool can give a plugin: the grant of OneRoster. Its shape is not public, so both are taken.

    Attributes:
        xml: Elements that are put inside `<plugin>` just as they are. An `<oauth>` among them stands for the empty one.
        attributes: Names and values of attributes of `<plugin>`.
    """

    xml: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


NOTHING = Supplied()


def plugin_xml(plugin: PluginSettings, supplied: Supplied = NOTHING) -> bytes:
    """Write the plugin.xml of a vendor.

    Args:
        plugin: What the vendor says of it.
        supplied: What PowerSchool has given the vendor.

    Returns:
        The file, of which `rules.check` has nothing to say.

    Raises:
        CallSomebody: Something is missing, too long, or no XML.
    """
    for name, value in (*asdict(plugin).items(), *supplied.attributes):
        if not value.isprintable():
            raise CallSomebody(
                f"the plugin's {name} holds a line break or another invisible character", "write it in plain characters"
            )
    attributes = {
        "name": plugin.name,
        "version": plugin.version,
        "description": f"Lets {plugin.publisher} read the rosters of this district by OneRoster 1.1",
        **_attributes(supplied),
    }
    contact = {"email": plugin.email} | ({"phone": plugin.phone} if plugin.phone else {})
    inside = ["" if "oauth" in _elements(supplied.xml) else "<oauth/>", supplied.xml.strip()]
    xml = "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<plugin xmlns="{NAMESPACE}"',
            '    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
            f'    xsi:schemaLocation="{NAMESPACE} plugin.xsd"',
            f"    {_written(attributes)}>",
            *(f"  {part}" for part in inside if part),
            f"  <publisher {_written({'name': plugin.publisher})}>",
            f"    <contact {_written(contact)}/>",
            "  </publisher>",
            "</plugin>",
            "",
        ]
    ).encode()
    check(xml)
    return xml


def plugin_zip(xml: bytes) -> bytes:
    """Pack a plugin.xml as PowerSchool installs it: at the zip's root, with nothing beside it.

    It is stored, not compressed, and without a time, so that the same plugin is the same bytes on every machine.
    """
    entry = zipfile.ZipInfo("plugin.xml", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, xml)
    return packed.getvalue()


def _written(attributes: dict[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())


def _attributes(supplied: Supplied) -> dict[str, str]:
    for name, _ in supplied.attributes:
        if not _ATTRIBUTE_NAME.fullmatch(name):
            raise CallSomebody(
                "what was supplied is no name of an attribute", "give NAME=VALUE as PowerSchool names it"
            )
        if name in _OURS:
            raise CallSomebody(f"the attribute {name} is the plugin's own", "set it by its own option")
    return dict(supplied.attributes)


def _elements(xml: str) -> set[str]:
    """Name the elements of what was supplied, and see that it can stand inside `<plugin>`."""
    if not xml.strip():
        return set()
    try:
        # On one line with its first, so that an error names the file's own line. Inside of an element there can be no
        # entity of one's own, which is what makes XML dangerous.
        root = ElementTree.fromstring(f'<plugin xmlns="{NAMESPACE}">{xml}</plugin>')  # noqa: S314
    except ElementTree.ParseError as error:
        raise CallSomebody(
            f"what PowerSchool supplied is not well-formed XML in line {error.position[0]}",
            "give just the elements that belong inside <plugin>, as they were sent, without a line <?xml ...?>",
        ) from None
    names = {child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in root}
    if not names or any(text and text.strip() for text in (root.text, *(child.tail for child in root))):
        raise CallSomebody(
            "what PowerSchool supplied has text outside of elements", "give elements; a bare value is an attribute's"
        )
    if "plugin" in names:
        raise CallSomebody("what PowerSchool supplied is a whole <plugin>", "give only what is inside of it")
    return names
