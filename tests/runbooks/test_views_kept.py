"""Rows that a process keeps: they depend on nothing but what they are found by."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import nodes

from tests.cast import Cast
from tests.runbooks.conftest import MakeRunbook, task
from webapp.accounts.models import User
from webapp.extensions import db
from webapp.runbooks import operations
from webapp.runbooks.rows import Row
from webapp.runbooks.states import Mode
from webapp.runbooks.views.kept import _kept

NOT_COMPARED = {each.name for each in fields(Row) if not each.compare}


TEMPLATES = pytest.mark.parametrize("name", ["runbooks/_row.html", "runbooks/_plan_row.html"])


def row_template(app: Flask, name: str) -> nodes.Template:
    environment = app.jinja_env
    assert environment.loader is not None
    return environment.parse(environment.loader.get_source(environment, name)[0])


@TEMPLATES
def test_the_template_of_a_row_reads_no_viewer_no_request_and_no_token(app: Flask, name: str) -> None:
    template = row_template(app, name)
    names = list(template.find_all(nodes.Name))
    own = {each.name for each in names if each.ctx != "load"}
    own |= {each.name for each in template.find_all(nodes.Macro)}
    own |= {each.target for each in template.find_all(nodes.Import)}
    assert {each.name for each in names} - own == {"icon"}


@TEMPLATES
def test_the_template_of_a_row_reads_nothing_that_equal_rows_may_differ_in(app: Flask, name: str) -> None:
    read = {
        each.attr
        for each in row_template(app, name).find_all(nodes.Getattr)
        if isinstance(each.node, nodes.Name) and each.node.name == "row"
    }
    assert read & NOT_COMPARED == set()
    assert {"span", "behind_s", "slack_s", "critical"} == NOT_COMPARED


def buttons(client: FlaskClient, address: str) -> list[str]:
    """What the page offers to do with its tasks: "1 start"."""
    answer = client.get(address)
    assert answer.status_code == 200
    return [
        part.split('"')[0].replace("/", " ")
        for part in answer.text.split(f'formaction="{address}/tasks/')[1:]
        if "move" not in part.split('"')[0]
    ]


def test_what_one_viewer_may_do_shows_to_no_other(
    make_runbook: MakeRunbook, rune: User, vera: User, cast: Cast, client_of: Any
) -> None:
    runbook = make_runbook("Stop writes", "Copy the data", mode=Mode.LIVE)
    task(runbook, 2).assignees = [vera]
    operations.start_task(task(runbook, 1), by=rune)
    db.session.commit()
    address = f"/runbooks/{runbook.id}"
    for _ in range(2):
        assert buttons(client_of(cast.rune), address) == ["1 finish", "2 start"]
        assert buttons(client_of(cast.vera), address) == ["2 start"]


def test_a_row_is_rendered_once_until_it_changes(
    make_runbook: MakeRunbook, rune: User, cast: Cast, client_of: Any
) -> None:
    runbook = make_runbook("Stop writes", "Copy the data", "Start writes", mode=Mode.LIVE)
    client = client_of(cast.rune)
    address = f"/runbooks/{runbook.id}"
    client.get(address)
    before = _kept.cache_info().misses
    client.get(address)
    assert _kept.cache_info().misses == before
    operations.skip_task(task(runbook, 2), "Not needed", by=rune)
    db.session.commit()
    assert "Skipped" in client.get(address).text
    assert _kept.cache_info().misses == before + 1
