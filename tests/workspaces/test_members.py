"""Workspaces: who may manage them, members and their roles, archiving."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.cast import Cast
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.permissions import Role
from webapp.workspaces import queries
from webapp.workspaces.models import Workspace
from webapp.workspaces.operations import WorkspaceRefused, remove_member, set_role

ClientOf = Callable[[int], FlaskClient]


def test_an_administrator_creates_a_workspace_and_adds_people(cast: Cast, client_of: ClientOf) -> None:
    ada = client_of(cast.ada)
    made = ada.post("/settings/workspaces", data={"name": "Cloud"})
    cloud = db.session.scalars(select(Workspace).where(Workspace.name == "Cloud")).one()
    assert made.location == f"/settings/workspaces/{cloud.id}"
    ada.post(f"/settings/workspaces/{cloud.id}/members", data={"user_id": cast.vera, "role": "member"})
    assert [person.name for person in queries.members_of(cloud.id)] == ["Vera"]
    verbs = db.session.scalars(select(AuditLine.verb).order_by(AuditLine.id)).all()
    assert verbs == ["workspace.created", "member.role_set"]


def test_a_name_that_is_taken_is_refused_and_kept(cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.ada).post("/settings/workspaces", data={"name": "payments"})
    assert answer.status_code == 422
    assert "A workspace has this name already." in answer.text and 'value="payments"' in answer.text


def test_a_manager_manages_their_own_workspace_only(cast: Cast, client_of: ClientOf) -> None:
    otto = client_of(cast.otto)
    assert otto.get(f"/settings/workspaces/{cast.treasury}").status_code == 200
    assert otto.get(f"/settings/workspaces/{cast.payments}").status_code == 404
    assert otto.post("/settings/workspaces", data={"name": "Mine"}).status_code == 403
    assert "Payments" not in otto.get("/settings/workspaces").text


def test_an_editor_manages_no_members(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.rune).get(f"/settings/workspaces/{cast.payments}").status_code == 403


def test_the_last_manager_stays(cast: Cast) -> None:
    treasury, otto = db.session.get_one(Workspace, cast.treasury), db.session.get_one(User, cast.otto)
    with pytest.raises(WorkspaceRefused, match="only manager"):
        remove_member(treasury, otto, by=otto)
    with pytest.raises(WorkspaceRefused, match="only manager"):
        set_role(treasury, otto, Role.VIEWER, by=otto)


def test_switching_to_a_foreign_workspace_is_not_found(cast: Cast, client_of: ClientOf) -> None:
    rune = client_of(cast.rune)
    assert rune.get(f"/workspaces/{cast.payments}").status_code == 303
    assert rune.get(f"/workspaces/{cast.treasury}").status_code == 404


def test_an_archived_workspace_leaves_the_menus_and_comes_back(cast: Cast, client_of: ClientOf) -> None:
    ada = client_of(cast.ada)
    rune = db.session.get_one(User, cast.rune)
    ada.post(f"/settings/workspaces/{cast.payments}/archive")
    assert queries.workspaces_of(rune) == []
    ada.post(f"/settings/workspaces/{cast.payments}/restore")
    assert [each.name for each in queries.workspaces_of(rune)] == ["Payments"]
