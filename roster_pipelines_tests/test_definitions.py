"""The graph as the Dagster UI shows it: a change of it is meant, and stands in this file."""

import dagster as dg

from roster_pipelines.definitions import build_defs, defs
from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource

VALIDATED = [
    "academicSessions", "orgs", "courses", "users", "classes", "enrollments", "resources", "classResources",
    "courseResources",
]  # fmt: skip
PLATFORM = ["access_codes", "account_links", "accounts", "licences", "products", "school_choices", "sign_ins"]

GRAPH = {
    # asset: its group, and what it is made from
    **{f"platform/{table}": ("platform", set()) for table in PLATFORM},
    "delivery": ("delivery", set()),
    **{f"validated/{table}": ("validated", {"delivery"}) for table in VALIDATED},
    "identities": ("rostering", {"platform/sign_ins", *(f"validated/{table}" for table in VALIDATED)}),
    "entitlements": (
        "rostering",
        {"identities", *(f"platform/{table}" for table in PLATFORM if table != "sign_ins")},
    ),
    "gates": ("rostering", {"identities", "entitlements"}),
    "roster_plan": ("rostering", {"gates"}),
    "rostered_classes": ("rostering", {"roster_plan"}),
}
FROM_IDENTITIES_ON = {"identities", "entitlements", "gates", "roster_plan", "rostered_classes"}
JOBS = {
    "process_delivery": {"delivery", *(f"validated/{table}" for table in VALIDATED), *FROM_IDENTITIES_ON},
    "refresh_entitlements": FROM_IDENTITIES_ON,
}
SENSORS = {
    "registry": None,
    "arrivals": "process_delivery",
    "pulls": "process_delivery",
    "sign_ins": "refresh_entitlements",
}


def specs() -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def complete() -> dg.Definitions:
    """Definitions whose resources need no environment."""
    return build_defs(database=DatabaseResource(url="postgresql://nowhere"), lake=LakeResource(root="nowhere"))


def test_the_assets_their_groups_and_what_each_is_made_from() -> None:
    assert {
        name: (spec.group_name, {dep.asset_key.to_user_string() for dep in spec.deps}) for name, spec in specs().items()
    } == GRAPH


def test_every_asset_says_what_it_is_who_owns_it_and_what_it_is_made_with() -> None:
    for name, spec in specs().items():
        assert str(spec.description).endswith("."), name
        assert spec.owners, name
        assert spec.kinds, name


def test_every_asset_of_ours_has_one_partition_per_district_and_the_platforms_have_none() -> None:
    names = {
        name: spec.partitions_def.name if isinstance(spec.partitions_def, dg.DynamicPartitionsDefinition) else None
        for name, spec in specs().items()
    }
    assert names == {name: None if name.startswith("platform/") else "districts" for name in GRAPH}


def test_every_validated_table_has_two_checks_of_its_districts_partition() -> None:
    checks = list(defs.resolve_asset_graph().asset_check_keys)
    assert {(key.asset_key.to_user_string(), key.name) for key in checks} == {
        (f"validated/{table}", check) for table in VALIDATED for check in ("schema", "rows_add_up")
    }
    for key in checks:
        partitions = defs.resolve_asset_graph().get(key).partitions_def
        assert isinstance(partitions, dg.DynamicPartitionsDefinition), key
        assert partitions.name == "districts"


def test_every_validated_table_shows_its_columns_and_never_a_password() -> None:
    for table in VALIDATED:
        schema = specs()[f"validated/{table}"].metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        columns = [column.name for column in schema.columns]
        assert columns == [column.name for column in ROSTER[table].of("1.1") if column.stored]
        assert "password" not in columns


def test_the_jobs_and_what_they_materialize() -> None:
    definitions = complete()
    assert {
        name: {key.to_user_string() for key in definitions.resolve_job_def(name).asset_layer.executable_asset_keys}
        for name in JOBS
    } == JOBS
    named = {job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")}
    assert named == set(JOBS)


def test_a_run_is_one_process() -> None:
    assert all(complete().resolve_job_def(name).executor_def is dg.in_process_executor for name in JOBS)


def test_the_sensors_what_they_start_and_that_they_run_from_the_start() -> None:
    sensors = {sensor.name: sensor for sensor in defs.sensors or []}
    assert {name: sensor.job_name if sensor.has_jobs else None for name, sensor in sensors.items()} == SENSORS
    for sensor in sensors.values():
        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
        assert sensor.description
        assert sensor.required_resource_keys == {"database"}


def test_the_definitions_load_as_a_whole() -> None:
    dg.Definitions.validate_loadable(complete())


def test_other_resources_take_the_place_of_the_usual_ones() -> None:
    lake = LakeResource(root="elsewhere")
    assert (build_defs(lake=lake).resources or {})["lake"] is lake
    assert set(defs.resources or {}) == {"database", "lake", "clock"}
