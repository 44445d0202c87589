"""The lake gives files their names when they are whole, on a local disk and far away alike."""

from pathlib import Path

import pytest

from roster_pipelines.lake import Lake


@pytest.fixture(params=["local", "local, as a URL", "remote"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    roots = {"local": str(tmp_path), "local, as a URL": f"file://{tmp_path}", "remote": f"memory://{tmp_path.name}"}
    return Lake(f"{roots[request.param]}/lake")


def names(lake: Lake, district: str = "maple-valley") -> list[str]:
    return [path.name for path in (lake.root / "staging" / district).iterdir()]


def test_everything_has_its_place_by_district_and_id(lake: Lake) -> None:
    def below(path: object) -> str:
        return str(path).removeprefix(str(lake.root)).lstrip("/")

    assert below(lake.delivery("maple-valley", "d1")) == "deliveries/maple-valley/d1"
    assert below(lake.staging("maple-valley", "d1")) == "staging/maple-valley/d1.duckdb"
    assert below(lake.plan("maple-valley", 7)) == "plans/maple-valley/7.duckdb"


def test_what_is_written_can_be_read(lake: Lake) -> None:
    path = lake.staging("maple-valley", "d1")
    with lake.writing(path) as local:
        local.write_bytes(b"rows")
    with lake.reading(path) as local:
        assert local.read_bytes() == b"rows"
    assert names(lake) == ["d1.duckdb"]


def test_a_file_has_no_name_in_the_lake_until_it_is_whole(lake: Lake) -> None:
    path = lake.staging("maple-valley", "d1")
    with lake.writing(path) as local:
        local.write_bytes(b"half of the rows")
        assert not path.exists()
    assert path.exists()


def fail_while_writing(lake: Lake, district: str, delivery_id: str) -> None:
    with lake.writing(lake.staging(district, delivery_id)) as local:
        local.write_bytes(b"half of the rows")
        raise RuntimeError("the power is gone")


def test_a_block_that_fails_leaves_nothing_behind(lake: Lake) -> None:
    with pytest.raises(RuntimeError, match="the power is gone"):
        fail_while_writing(lake, "maple-valley", "d1")
    assert not lake.staging("maple-valley", "d1").exists()
    assert names(lake) == []


def test_a_block_that_fails_leaves_the_file_that_was_there(lake: Lake) -> None:
    path = lake.staging("maple-valley", "d1")
    with lake.writing(path) as local:
        local.write_bytes(b"good")
    with pytest.raises(RuntimeError):
        fail_while_writing(lake, "maple-valley", "d1")
    with lake.reading(path) as local:
        assert local.read_bytes() == b"good"


def test_two_districts_with_one_id_do_not_meet(lake: Lake) -> None:
    for district in ("maple-valley", "oak-bay"):
        with lake.writing(lake.staging(district, "d1")) as local:
            local.write_text(district)
    with lake.reading(lake.staging("maple-valley", "d1")) as local:
        assert local.read_text() == "maple-valley"


def test_a_local_file_is_read_in_place_and_a_remote_one_as_a_copy_that_goes(tmp_path: Path) -> None:
    for lake, in_place in ((Lake(str(tmp_path)), True), (Lake(f"memory://{tmp_path.name}"), False)):
        path = lake.staging("maple-valley", "d1")
        with lake.writing(path) as local:
            local.write_bytes(b"rows")
        with lake.reading(path) as local:
            assert local.is_relative_to(tmp_path) is in_place
            assert local.suffix == ".duckdb"
        assert local.exists() is in_place
        assert path.exists()
