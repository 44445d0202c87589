"""What PowerSchool would refuse is refused by us first, in one line that names it."""

import pytest

from roster_pipelines.connections.powerschool_plugin.rules import NAMESPACE, check
from roster_pipelines.errors import CallSomebody

PUBLISHER = '<publisher name="Acme"><contact email="help@acme.example"/></publisher>'


def plugin(inside: str = f"<oauth/>{PUBLISHER}", attributes: str = 'name="Acme Rosters"') -> bytes:
    return f'<plugin xmlns="{NAMESPACE}" {attributes}>{inside}</plugin>'.encode()


def refused(xml: bytes) -> str:
    with pytest.raises(CallSomebody) as told:
        check(xml)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_the_smallest_plugin_passes() -> None:
    check(plugin())


def test_a_name_of_40_characters_passes_and_one_of_41_does_not() -> None:
    check(plugin(attributes=f'name="{"n" * 40}"'))
    assert "name of <plugin> has 41 characters and may have 40" in refused(plugin(attributes=f'name="{"n" * 41}"'))


def test_a_plugin_without_publisher_is_refused() -> None:
    assert "<publisher> is missing in <plugin>" in refused(plugin("<oauth/>"))


def test_a_field_can_be_asked_for_to_view_or_in_full_and_not_to_write() -> None:
    field = '<access_request><field table="STUDENTS" field="DCID" access="{}"/></access_request>'
    check(plugin(field.format("ViewOnly") + PUBLISHER))
    check(plugin(field.format("FullAccess") + PUBLISHER))
    told = refused(plugin(field.format("Write") + PUBLISHER))
    assert "access of <field> is none of ViewOnly, FullAccess" in told


@pytest.mark.parametrize(
    ("attribute", "element", "longest", "inside"),
    [
        ("name", "publisher", 100, '<publisher name="{}"><contact email="e"/></publisher>'),
        ("email", "contact", 40, '<publisher name="p"><contact email="{}"/></publisher>'),
        ("phone", "contact", 20, '<publisher name="p"><contact email="e" phone="{}"/></publisher>'),
        ("account_token", "oauth", 256, f'<oauth account_token="{{}}"/>{PUBLISHER}'),
        ("url", "registration", 1000, f'<registration url="{{}}"/>{PUBLISHER}'),
        ("host", "openid", 256, f'<openid host="{{}}"/>{PUBLISHER}'),
        ("name", "saml", 256, f'<saml name="{{}}"/>{PUBLISHER}'),
        ("table", "field", 30, f'<access_request><field table="{{}}" field="f" access="ViewOnly"/></access_request>'
                               f"{PUBLISHER}"),
        ("field", "field", 30, f'<access_request><field table="t" field="{{}}" access="ViewOnly"/></access_request>'
                               f"{PUBLISHER}"),
    ],
)  # fmt: skip
def test_a_value_may_be_as_long_as_powerschool_says(attribute: str, element: str, longest: int, inside: str) -> None:
    check(plugin(inside.format("x" * longest)))
    told = refused(plugin(inside.format("x" * (longest + 1))))
    assert f"{attribute} of <{element}> has {longest + 1} characters and may have {longest}" in told


@pytest.mark.parametrize(("attribute", "longest"), [("version", 20), ("description", 256), ("class", 256)])
def test_the_plugins_other_words_may_be_as_long_as_powerschool_says(attribute: str, longest: int) -> None:
    check(plugin(attributes=f'name="n" {attribute}="{"x" * longest}"'))
    assert f"{attribute} of <plugin> has" in refused(plugin(attributes=f'name="n" {attribute}="{"x" * (longest + 1)}"'))


@pytest.mark.parametrize(
    ("missing", "inside", "attributes"),
    [
        ("name of <plugin>", PUBLISHER, ""),
        ("name of <plugin>", PUBLISHER, 'name=" "'),
        ("name of <publisher>", '<publisher><contact email="e"/></publisher>', 'name="n"'),
        ("email of <contact>", '<publisher name="p"><contact/></publisher>', 'name="n"'),
        ("<contact>", '<publisher name="p"/>', 'name="n"'),
        ("url of <registration>", f"<registration/>{PUBLISHER}", 'name="n"'),
        ("host of <openid>", f"<openid/>{PUBLISHER}", 'name="n"'),
        ("name of <saml>", f"<saml/>{PUBLISHER}", 'name="n"'),
        ("access of <field>", f'<access_request><field table="t" field="f"/></access_request>{PUBLISHER}', 'name="n"'),
    ],
)
def test_what_must_be_there_is_missed(missing: str, inside: str, attributes: str) -> None:
    assert f"{missing} is missing" in refused(plugin(inside, attributes))


@pytest.mark.parametrize(
    "element", ["registration", "oauth", "access_request", "openid", "saml", "links", "publisher", "autoinstall"]
)
def test_an_element_is_there_at_most_once(element: str) -> None:
    assert f"<{element}> is there 2 times in <plugin>" in refused(plugin(f"<{element}/><{element}/>"))


def test_a_choice_is_one_of_those_there_are() -> None:
    assert "deletable of <plugin> is none of" in refused(plugin(attributes='name="n" deletable="maybe"'))
    assert "deletable of <plugin> is none of" in refused(plugin(attributes='name="n" deletable=""'))
    told = refused(plugin(f'<saml name="s" nameid-format="email"/>{PUBLISHER}'))
    assert "nameid-format of <saml> is none of unspecified, transient, persistent" in told


def test_what_is_left_of_a_template_is_refused_wherever_it_is() -> None:
    told = refused(plugin(f'<links><link path="&lt;path&gt;"/></links>{PUBLISHER}'))
    assert "path of <link> holds < or >" in told


def test_everything_that_is_wrong_is_named_at_once() -> None:
    told = refused(plugin("", attributes=f'name="{"n" * 41}" version="{"1" * 21}"'))
    assert "name of <plugin> has 41" in told
    assert "version of <plugin> has 21" in told
    assert "<publisher> is missing" in told


def test_a_problem_is_told_without_the_value() -> None:
    assert "nnnn" not in refused(plugin(attributes=f'name="{"n" * 41}"'))


def test_what_the_published_rules_do_not_name_passes() -> None:
    check(plugin(f'<oauth accessLevelV1Api="READ"/><newer of="theirs"/>{PUBLISHER}'))


@pytest.mark.parametrize("xml", [b"<plugin", b'<plugin name="n"/>', b"<html/>", b""])
def test_what_is_no_plugin_is_refused(xml: bytes) -> None:
    assert "plugin.xml" in refused(xml)
