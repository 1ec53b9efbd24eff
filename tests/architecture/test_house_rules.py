"""Rules about the text of the code, each with the way to mend what breaks it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

ROOT = Path(__file__).parents[2]
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


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "webapp").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def feature_file(name: str) -> tuple[str, str] | None:
    """(feature, file or folder inside it) of a path such as webapp/fields/operations.py."""
    parts = name.split("/")
    if len(parts) > 2 and parts[1] in FEATURES:
        return parts[1], parts[2].removesuffix(".py")
    return None


def calls(tree: ast.Module, attribute: str) -> Iterator[int]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == attribute
        ):
            yield node.lineno


def test_only_views_jobs_and_the_command_line_commit() -> None:
    # credentials ends the worker's transaction before it asks a provider; its docstring says so.
    allowed = {"views", "jobs", "credentials"}
    wrong = [
        f"{name}:{line}"
        for name, tree in sources()
        if (place := feature_file(name)) and place[1] not in allowed
        for line in calls(tree, "commit")
    ]
    assert wrong == [], "Operations take part in a transaction; the view or job that called them ends it."


def test_the_request_stays_in_views_forms_and_plumbing() -> None:
    wrong = []
    for name, tree in sources():
        place = feature_file(name)
        if place is None or place[1] in {"views", "forms", "sessions", "__init__"}:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in ("flask", "flask_login"):
                names = {alias.name for alias in node.names} & {"request", "session", "current_user"}
                wrong += [f"{name}:{node.lineno} imports {each}" for each in sorted(names)]
    assert wrong == [], "Pass what the function needs as a parameter; the view reads the request."


def test_states_are_assigned_only_in_operations() -> None:
    wrong = []
    for name, tree in sources():
        place = feature_file(name)
        if place is None or place[1] in {"operations", "models"}:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Attribute) and target.attr == "state":
                        owner = target.value
                        if not (isinstance(owner, ast.Name) and owner.id == "self"):
                            wrong.append(f"{name}:{node.lineno}")
    assert wrong == [], "A state has one writer: the feature's operations."


def test_there_is_no_drawer_without_meaning() -> None:
    names = [
        path.relative_to(ROOT).as_posix()
        for top in ("webapp", "templates", "slack_sandbox", "tests")
        for path in (ROOT / top).rglob("*")
        if re.fullmatch(r"(utils?|common|helpers?|misc|extras)(\.py)?", path.name)
    ]
    assert names == [], "Name the file after what it holds."


def test_every_route_names_its_permission(whole_app: Flask) -> None:
    without = [
        rule.endpoint
        for rule in whole_app.url_map.iter_rules()
        if rule.endpoint != "static" and not hasattr(whole_app.view_functions[rule.endpoint], "permission")
    ]
    assert without == [], "Use webapp.blueprint.Blueprint, whose routes take permission=."


def test_urls_are_kebab_case(whole_app: Flask) -> None:
    callback = "/api/integrations/oauth/authentications/payload_transformer/callback"  # the guide's own
    wrong = [
        rule.rule
        for rule in whole_app.url_map.iter_rules()
        if rule.rule != callback and re.search(r"[A-Z_]", re.sub(r"<[^>]+>", "", rule.rule))
    ]
    assert wrong == []


def test_every_post_changes_and_no_get_does_but_the_ones_that_say_so(whole_app: Flask) -> None:
    writing = sorted(
        rule.endpoint
        for rule in whole_app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and getattr(whole_app.view_functions[rule.endpoint], "writes", False)
    )
    assert writing == ["integrations.callback"]


def test_kinds_folders_and_their_registries_list_the_same() -> None:
    from webapp.fields.kinds import KINDS
    from webapp.integration_runs.modes import MODES
    from webapp.integrations.authorizations import AUTHORIZATIONS
    from webapp.integrations.predefined import PREDEFINED
    from webapp.notifications.kinds import KINDS as NOTIFICATIONS
    from webapp.runbooks.task_types import TASK_TYPES
    from webapp.runbooks.triggers import TRIGGERS

    for registry in (KINDS, MODES, AUTHORIZATIONS, PREDEFINED, TASK_TYPES, TRIGGERS, NOTIFICATIONS):
        kinds = list(registry)
        homes = {type(kind).__module__ for kind in kinds}
        assert len(kinds) == len({kind.key for kind in kinds}), registry.noun
        assert homes, registry.noun


def test_every_job_that_is_queued_by_name_exists(whole_app: Flask) -> None:
    from webapp.jobs import JOBS

    asked = {
        node.args[0].value
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("enqueue", "enqueue_after_commit")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert asked <= set(JOBS)


def test_templates_carry_nothing_inline() -> None:
    inline = re.compile(r"<[^>]*\s(style|on[a-z]+)=\"|<script>|hx-on|hx-vals=.js:")
    wrong = [
        f"{path.relative_to(ROOT).as_posix()}:{number}"
        for top in ("templates", "slack_sandbox")
        for path in sorted((ROOT / top).rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if inline.search(line)
    ]
    assert wrong == [], "The Content Security Policy drops it: use a class or a data- attribute."
