"""What is written of each provider's connection is true: valid examples, the keys and limits that there are."""

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from roster_pipelines.connections.powerschool_plugin.build import plugin_xml
from roster_pipelines.district_connection import (
    ClassLinkConnection,
    InfiniteCampusConnection,
    PowerSchoolConnection,
)
from roster_pipelines.errors import CallSomebody
from roster_pipelines.settings import PROJECT, PluginSettings

DOCUMENTS: dict[str, type[BaseModel]] = {
    "classlink": ClassLinkConnection,
    "infinite-campus": InfiniteCampusConnection,
    "powerschool": PowerSchoolConnection,
}
each = pytest.mark.parametrize("name", DOCUMENTS)


def text(name: str) -> str:
    return (PROJECT / "docs" / f"{name}.md").read_text("utf-8")


def row(name: str, key: str) -> str:
    """The line of the document's table that explains a key."""
    (found,) = (line for line in text(name).splitlines() if re.match(rf"\| (`\w+`, )*`{key}`", line))
    return found


@each
def test_every_example_is_a_connection(name: str) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", text(name), re.DOTALL)
    assert examples
    for example in examples:
        DOCUMENTS[name].model_validate(yaml.safe_load(example)["connection"])


@each
def test_every_key_of_the_record_is_explained_and_no_other(name: str) -> None:
    table = text(name).split("| key | what |")[1].split("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    explained = {key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)}
    assert explained == set(DOCUMENTS[name].model_fields) - {"kind"}


@each
@pytest.mark.parametrize("key", ["page_size", "parallel"])
def test_the_limits_are_those_that_hold(name: str, key: str) -> None:
    field = DOCUMENTS[name].model_fields[key]
    most = next(bound.le for bound in field.metadata if hasattr(bound, "le"))
    assert f"default {field.default}, at most {most}" in row(name, key)


def test_a_token_url_without_its_application_is_refused_as_the_document_says() -> None:
    example = re.search(r"```yaml\n(.*?)```", text("infinite-campus"), re.DOTALL)
    assert example
    record: dict[str, Any] = yaml.safe_load(example[1].replace("?appName=maplevalley", ""))
    with pytest.raises(ValueError, match="appName"):
        InfiniteCampusConnection.model_validate(record["connection"])


@each
def test_what_is_not_known_is_called_unverified(name: str) -> None:
    assert "unverified" in text(name).lower()


@pytest.mark.parametrize(
    ("words", "field", "longest"),
    [
        ("the name has 1 to 40", "name", 40),
        ("the version at most 20", "version", 20),
        ("the publisher 1 to 100", "publisher", 100),
        ("the e-mail address 1 to 40", "email", 40),
        ("the phone number at most 20", "phone", 20),
    ],
)
def test_the_plugins_words_may_be_as_long_as_the_document_says(words: str, field: str, longest: int) -> None:
    plugin = PluginSettings("Acme Rosters", "1.0", "Acme", "help@acme.example")
    assert words in " ".join(text("powerschool").split())
    plugin_xml(replace(plugin, **{field: "x" * longest}))
    with pytest.raises(CallSomebody):
        plugin_xml(replace(plugin, **{field: "x" * (longest + 1)}))
