"""Whatever arrives, staging says what became of it."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from roster_pipelines.simulators.districts import District
from roster_pipelines_tests.effort import cases
from roster_pipelines_tests.staging.conftest import Delivered, Staged

TABLES = ("academicSessions", "orgs", "courses", "users", "classes", "enrollments")

Damage = Callable[[bytes], bytes]


def cut_and_put(place: float, length: int, put: bytes) -> Damage:
    """Cut bytes out of a file's end part or header, and put others there."""

    def damage(content: bytes) -> bytes:
        start = int(place * len(content))
        return content[:start] + put + content[start + length :]

    return damage


places = st.floats(0, 0.03) | st.floats(0, 1)
puts = st.sampled_from(
    [b",", b'"', b'""', b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n", b" ", b"\x00", b"\xff", b""]
) | st.binary(max_size=5)
cuts = st.builds(cut_and_put, places, st.sampled_from([0, 0, 1, 3, 30]), puts)
garbage = st.binary(max_size=60).map(lambda content: lambda _: content)
damages = st.dictionaries(st.sampled_from(("manifest", *TABLES)), st.lists(cuts | cuts | cuts | garbage, max_size=4))


@pytest.fixture(scope="module")
def spoil(tmp_path_factory: pytest.TempPathFactory, clean_district: District) -> Callable[..., Staged]:
    """Stage the clean district with damaged files."""

    def run(damaged: dict[str, list[Damage]]) -> Staged:
        folder = tmp_path_factory.mktemp("damaged")
        for path in clean_district.folder.iterdir():
            content = path.read_bytes()
            for damage in damaged.get(path.stem, []):
                content = damage(content)
            (folder / path.name).write_bytes(content)
        return Delivered(folder, folder.with_suffix(".duckdb")).stage()

    return run


# One example takes seconds: do not shrink.
@settings(max_examples=cases(3, 60), phases=(Phase.explicit, Phase.generate))
@given(damages)
def test_of_any_bytes_every_row_is_accepted_or_rejected(
    spoil: Callable[..., Staged], damaged: dict[str, list[Damage]]
) -> None:
    staged = spoil(damaged)
    for table, counts in staged.summary.tables.items():
        assert counts.add_up, (table, counts, staged.summary.findings)
    assert all(finding.count > 0 for finding in staged.summary.findings)
    if staged.summary.verdict == "accepted":
        assert all(finding.severity == "info" for finding in staged.summary.findings)
