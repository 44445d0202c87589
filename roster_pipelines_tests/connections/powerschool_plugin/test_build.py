"""The plugin holds just what the vendor says and what PowerSchool gave; the same words make the same bytes."""

import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from roster_pipelines.connections.powerschool_plugin.build import Supplied, plugin_xml, plugin_zip
from roster_pipelines.connections.powerschool_plugin.rules import NAMESPACE
from roster_pipelines.errors import CallSomebody
from roster_pipelines.settings import PluginSettings

ACME = PluginSettings("Acme Rosters", "2.1", "Acme Learning", "help@acme.example", "555-0100")


def parsed(plugin: PluginSettings, supplied: Supplied | None = None) -> ElementTree.Element:
    return ElementTree.fromstring(plugin_xml(plugin, supplied or Supplied()))


def said(root: ElementTree.Element) -> PluginSettings:
    """What a plugin.xml says, as the settings that it came from."""
    publisher = root.find(f"{{{NAMESPACE}}}publisher")
    contact = root.find(f"{{{NAMESPACE}}}publisher/{{{NAMESPACE}}}contact")
    assert publisher is not None
    assert contact is not None
    return PluginSettings(
        root.attrib["name"], root.attrib["version"], publisher.attrib["name"], contact.attrib["email"],
        contact.get("phone", ""),
    )  # fmt: skip


def children(root: ElementTree.Element) -> list[str]:
    return [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in root]


def test_the_zip_opens_and_has_nothing_but_plugin_xml_at_its_root() -> None:
    with zipfile.ZipFile(io.BytesIO(plugin_zip(plugin_xml(ACME)))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["plugin.xml"]
        assert said(ElementTree.fromstring(archive.read("plugin.xml"))) == ACME


def test_the_same_plugin_is_the_same_bytes_and_another_one_is_not() -> None:
    packed = plugin_zip(plugin_xml(ACME))
    assert plugin_zip(plugin_xml(replace(ACME))) == packed
    assert b"\x00\x00\x21\x00" in packed[:16], "without the time at which it was made"
    assert plugin_zip(plugin_xml(replace(ACME, version="2.2"))) != packed


def test_it_is_the_smallest_plugin_that_can_read() -> None:
    root = parsed(ACME)
    assert root.tag == f"{{{NAMESPACE}}}plugin"
    assert children(root) == ["oauth", "publisher"]
    assert root[0].attrib == {}


def test_a_phone_that_is_not_known_is_left_out() -> None:
    root = parsed(replace(ACME, phone=""))
    assert root[1][0].attrib == {"email": "help@acme.example"}


@pytest.mark.parametrize("name", ["Reading & Writing", "O'Hara's", 'the "Best"', "&amp; &#38;", "Ünïcode 教室", "]]"])
def test_special_characters_come_back_as_they_were(name: str) -> None:
    plugin = PluginSettings(name, name, name, name, name)
    assert said(parsed(plugin)) == plugin


@pytest.mark.parametrize("name", ["<name>", "a > b", "two\nlines", "a\tb", "bell\a", "half \ud800"])
@pytest.mark.parametrize("field", ["name", "version", "publisher", "email", "phone"])
def test_a_character_that_would_break_the_installation_is_refused(field: str, name: str) -> None:
    with pytest.raises(CallSomebody) as told:
        plugin_xml(replace(ACME, **{field: name}))
    assert name not in str(told.value)


def test_what_is_too_long_or_missing_is_refused() -> None:
    with pytest.raises(CallSomebody, match="name of <plugin> has 41 characters"):
        plugin_xml(replace(ACME, name="n" * 41))
    with pytest.raises(CallSomebody, match="name of <publisher> is missing"):
        plugin_xml(replace(ACME, publisher=""))


def test_nothing_that_powerschool_supplies_is_invented() -> None:
    """No more than the vendor's own words, in the elements that any plugin may have."""
    root = parsed(ACME)
    assert set(root.attrib) - {"{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"} == {
        "name", "version", "description",
    }  # fmt: skip
    assert {name for element in root.iter() for name in element.attrib if element is not root} == {
        "name", "email", "phone",
    }  # fmt: skip


def test_what_powerschool_supplied_is_put_in_just_as_it_is() -> None:
    given = '<theirs  id = "006XX0000012345" ><!-- as sent -->\n  <part/></theirs>\n<more/>'
    xml = plugin_xml(ACME, Supplied(xml=f"\n{given}\n"))
    assert given.encode() in xml
    assert children(ElementTree.fromstring(xml)) == ["oauth", "theirs", "more", "publisher"]
    assert said(ElementTree.fromstring(xml)) == ACME


def test_an_oauth_that_powerschool_supplied_takes_the_place_of_the_empty_one() -> None:
    root = parsed(ACME, Supplied(xml='<oauth theirs="1"/>'))
    assert children(root) == ["oauth", "publisher"]
    assert root[0].attrib == {"theirs": "1"}


def test_an_attribute_that_powerschool_supplied_is_the_plugins() -> None:
    root = parsed(ACME, Supplied(attributes=(("theirs", "a & b"), ("other", "2"))))
    assert (root.attrib["theirs"], root.attrib["other"]) == ("a & b", "2")
    assert said(root) == ACME


@pytest.mark.parametrize(
    "xml",
    [
        "<open>", "<a></b>", "</plugin><plugin>", "<?xml version='1.0'?><a/>", "<!DOCTYPE a><a/>", "<a>&unknown;</a>",
        "006XX0000012345", "<a/> and text", "<!-- nothing -->", "<plugin name='theirs'/>",
        "<publisher name='theirs'><contact email='e'/></publisher>", "<a b='<c'/>",
    ],
)  # fmt: skip
def test_what_cannot_stand_inside_a_plugin_is_refused(xml: str) -> None:
    with pytest.raises(CallSomebody):
        plugin_xml(ACME, Supplied(xml=xml))


def test_an_error_names_the_line_of_the_file_that_was_supplied() -> None:
    with pytest.raises(CallSomebody, match="in line 2:"):
        plugin_xml(ACME, Supplied(xml="<a/>\n<b></c>\n"))


def test_the_rules_hold_for_what_was_supplied_too() -> None:
    field = '<access_request><field table="STUDENTS" field="DCID" access="Write"/></access_request>'
    with pytest.raises(CallSomebody, match="access of <field> is none of ViewOnly, FullAccess"):
        plugin_xml(ACME, Supplied(xml=field))


@pytest.mark.parametrize("name", ["name", "version", "description", "xmlns", "a b", "x:y", "1", "a='1' b", ""])
def test_a_supplied_attribute_cannot_be_one_of_ours_or_more_than_one(name: str) -> None:
    with pytest.raises(CallSomebody):
        plugin_xml(ACME, Supplied(attributes=((name, "x"),)))
