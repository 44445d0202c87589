"""How the package is built: Dagster at the edge, small modules, an import that costs and touches nothing."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import roster_pipelines

PACKAGE = Path(roster_pipelines.__file__).parent
MODULES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
AT_THE_EDGE = ("definitions.py", "jobs.py", "partitions.py", "checks.py", "assets/", "sensors/", "resources/")
# What takes long to load: the code server and the sensors do without, and a run loads only what it uses.
HEAVY = ("pandas", "ibis", "pandera", "paramiko", "alembic")
LINES = 300


def imports(path: Path) -> set[str]:
    """The top-level names of everything that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found


def test_the_modules_are_found() -> None:
    assert {"definitions.py", "rostering/plan.py", "platform/migrations/env.py"} <= MODULES.keys()


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith(AT_THE_EDGE)])
def test_nothing_but_the_edge_knows_dagster(module: str) -> None:
    assert not {name for name in imports(MODULES[module]) if name.startswith("dagster")}


def test_dagster_is_imported_in_one_way_only() -> None:
    """As `dg`: its submodules are private, and a name is always seen to be Dagster's."""
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not str(node.module).startswith("dagster"), name
            elif isinstance(node, ast.Import):
                ours = [alias for alias in node.names if alias.name.startswith("dagster")]
                assert all((alias.name, alias.asname) == ("dagster", "dg") for alias in ours), name


def test_the_domain_is_pure() -> None:
    """The rostering rules know DuckDB and nothing of databases, networks or files beyond what is handed to them."""
    allowed = {"duckdb", "roster_pipelines", *sys.stdlib_module_names}
    for name, path in MODULES.items():
        if name.startswith(("rostering/", "oneroster/")):
            assert imports(path) <= allowed, name
            assert not imports(path) & {"socket", "subprocess", "os", "urllib", "http"}, name


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_short_enough_to_be_read(module: str) -> None:
    assert len(MODULES[module].read_text("utf-8").splitlines()) < LINES


IMPORT = f"""
import json, socket, sys

def no_socket(*_, **__):
    raise AssertionError("the import opened a socket")

socket.socket.connect = socket.socket.connect_ex = socket.create_connection = no_socket
import roster_pipelines.definitions
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print(json.dumps(loaded))
"""


def test_loading_the_definitions_needs_no_setting_opens_no_socket_and_loads_nothing_heavy(tmp_path: Path) -> None:
    """In a process of its own, without any variable of ours, and with an empty folder to work in."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("ROSTER_", "DAGSTER_"))}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        env={**bare, "PYTHONPATH": str(PACKAGE.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
    assert list(tmp_path.iterdir()) == []
