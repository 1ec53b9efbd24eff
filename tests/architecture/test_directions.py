"""Which way imports point. Each rule says how to mend what breaks it."""

from __future__ import annotations

from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2] / "webapp"
FEATURES = [
    "audit",
    "accounts",
    "workspaces",
    "notifications",
    "fields",
    "integrations",
    "integration_runs",
    "runbooks",
]
# Who sees everything: create_app, the command line and the demo's data.
ASSEMBLY = {
    "webapp",
    "webapp.cli.administrators",
    "webapp.cli.parts",
    "webapp.demo",
    "webapp.processes",
}
# Inside a feature, low to high; a module may import those of its own row and of the rows above it in this list.
ROWS = [
    {"models"},
    {"queries"},
    {"forms", "operations"},
    {"jobs", "views"},
]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("webapp", cache_dir=None)


def feature_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FEATURES else None


def imports(graph: grimp.ImportGraph) -> list[tuple[str, str]]:
    return sorted(
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    )


def test_features_import_only_features_below_them(graph: grimp.ImportGraph) -> None:
    upward = [
        f"{importer} imports {imported}"
        for importer, imported in imports(graph)
        if (low := feature_of(importer)) and (high := feature_of(imported))
        if FEATURES.index(high) > FEATURES.index(low)
    ]
    assert upward == [], "News travels up by a signal or an `offered` hook that the lower feature owns."


def test_plumbing_imports_no_feature(graph: grimp.ImportGraph) -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, imported in imports(graph)
        if feature_of(importer) is None and importer not in ASSEMBLY and feature_of(imported)
    ]
    assert wrong == [], (
        "A module at the root of webapp knows no feature: move it into one, or take what it needs as a parameter."
    )


def row_of(module: str) -> int | None:
    parts = module.split(".")
    if len(parts) < 3 or feature_of(module) is None:
        return None
    numbers = (number for part in parts[2:] for number, row in enumerate(ROWS) if part in row)
    return next(numbers, None)


def test_inside_a_feature_imports_point_to_the_models(graph: grimp.ImportGraph) -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, imported in imports(graph)
        if feature_of(importer) == feature_of(imported)
        if (low := row_of(importer)) is not None and (high := row_of(imported)) is not None and high > low
    ]
    assert wrong == [], "models, then queries, then forms and operations, then jobs and views."


def test_nobody_imports_views_or_jobs_of_a_feature(graph: grimp.ImportGraph) -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, imported in imports(graph)
        if row_of(imported) == 3 and importer.split(".")[:3] != imported.split(".")[:3]
        if importer not in ASSEMBLY and importer != f"webapp.{feature_of(imported)}"
    ]
    assert wrong == [], "Views and jobs are the top: move what is shared into operations or queries."


def test_only_the_door_opens_outbound_connections(graph: grimp.ImportGraph) -> None:
    # The command line asks its own web process whether it is up.
    allowed = {
        "webapp.http",
        "webapp.http_outcomes",
        "webapp.sockets",
        "webapp.integrations.oauth",
        "webapp.cli.everything",
        "webapp.processes",
    }
    opening = (
        "import requests",
        "import urllib3",
        "from urllib3",
        "from requests",
        "http.client",
        "urllib.request",
        "from authlib",
    )
    wrong = []
    for path in ROOT.rglob("*.py"):
        module = "webapp." + path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        if module in allowed:
            continue
        lines = [
            line for line in path.read_text().splitlines() if line.lstrip().startswith(("import ", "from "))
        ]
        wrong += [f"{module}: {line}" for line in lines if any(word in line for word in opening)]
    assert wrong == [], "Call webapp.http.Door, which guards addresses, deadlines and sizes."
