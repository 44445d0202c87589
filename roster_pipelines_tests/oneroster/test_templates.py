"""The templates are the standard's headers, and the manifest its properties in its order."""

import re

import pytest

from roster_pipelines.oneroster.shape import Version
from roster_pipelines.oneroster.templates import templates
from roster_pipelines_tests.oneroster.test_standard import FACTS

MANIFESTS = {
    "1.1": """
        file.academicSessions,bulk file.categories,absent file.classes,bulk file.classResources,bulk file.courses,bulk
        file.courseResources,bulk file.demographics,absent file.enrollments,bulk file.lineItems,absent file.orgs,bulk
        file.resources,bulk file.results,absent file.users,bulk""",
    "1.2": """
        file.academicSessions,bulk file.categories,absent file.classes,bulk file.classResources,bulk file.courses,bulk
        file.courseResources,bulk file.demographics,absent file.enrollments,bulk
        file.lineItemLearningObjectiveIds,absent file.lineItems,absent file.lineItemScoreScales,absent file.orgs,bulk
        file.resources,bulk file.resultLearningObjectiveIds,absent file.results,absent file.resultScoreScales,absent
        file.roles,bulk file.scoreScales,absent file.userProfiles,bulk file.userResources,bulk file.users,bulk""",
}


@pytest.mark.parametrize("version", FACTS)
def test_every_file_that_is_read_has_its_header_and_nothing_else(version: Version) -> None:
    headers = {name: ",".join(re.split("[!*=>]", fact)[0] for fact in facts) for name, facts in FACTS[version].items()}
    expected = {f"{name}.csv": f"{header}\r\n" for name, header in headers.items()}
    assert {name: text for name, text in templates(version).items() if name != "manifest.csv"} == expected


@pytest.mark.parametrize("version", FACTS)
def test_the_manifest_has_every_property_and_declares_what_is_there(version: Version) -> None:
    assert templates(version)["manifest.csv"].split("\r\n") == [
        "propertyName,value",
        "manifest.version,1.0",
        f"oneroster.version,{version}",
        *MANIFESTS[version].split(),
        "source.systemName,",
        "source.systemCode,",
        "",
    ]
