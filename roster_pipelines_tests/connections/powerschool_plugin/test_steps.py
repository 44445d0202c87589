"""The letter tells an administrator everything: what to do, what to hand over, and whom to ask."""

import re
from dataclasses import replace

from roster_pipelines.connections.powerschool_plugin.steps import steps
from roster_pipelines.settings import PluginSettings

ACME = PluginSettings("Acme & {Co} Rosters", "2.1", "Acme <Learning>", "help@acme.example", "555-0100")
LETTER = steps(ACME, "acme.zip")


def test_the_steps_are_in_the_order_in_which_they_are_done() -> None:
    order = ["Universal Rostering", "Plugin Management", "Install", "Enable", "1000", "hand over"]
    places = [LETTER.index(word) for word in order]
    assert places == sorted(places)
    assert re.findall(r"^ (\d)\. ", LETTER, re.MULTILINE) == list("123456")


def test_it_names_the_file_and_the_vendor_as_they_are() -> None:
    assert "choose acme.zip" in LETTER
    assert LETTER.startswith("Acme & {Co} Rosters: ")
    assert LETTER.count("Acme <Learning>, help@acme.example, 555-0100") == 2
    assert "help@acme.example\n" in steps(replace(ACME, phone=""), "acme.zip")


def test_it_asks_for_address_id_and_secret_and_warns_of_mail() -> None:
    for word in ("address of your PowerSchool", "Client ID", "Client Secret", "not by e-mail"):
        assert word in LETTER


def test_it_says_what_a_new_secret_and_a_new_installation_do() -> None:
    assert "new secret" in LETTER
    assert "reinstall" in LETTER


def test_the_opportunity_id_is_there_if_it_is_known_and_asked_for_otherwise() -> None:
    assert "Opportunity ID for it. Ours is 006XX." in steps(ACME, "acme.zip", "006XX")
    assert "Opportunity ID for it. Ask us for ours." in LETTER


def test_it_fits_into_a_mail() -> None:
    assert max(map(len, LETTER.splitlines())) <= 120
