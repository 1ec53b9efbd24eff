"""The demo's large plans."""

from __future__ import annotations

from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import func, select

from webapp.demo import seed, site_after_site
from webapp.extensions import db
from webapp.runbooks.graph import in_order
from webapp.runbooks.models import Purpose, Runbook, Stream, Task, task_assignees, task_predecessors
from webapp.runbooks.sheets.plan import PlannedTask
from webapp.runbooks.templates.models import TemplateVersion


def plan_of(name: str) -> tuple[dict[int, Task], list[tuple[int, int]]]:
    tasks = {
        each.id: each
        for each in db.session.scalars(
            select(Task).join(Task.runbook).where(Runbook.name == name).order_by(Task.number)
        )
    }
    links = db.session.execute(
        select(task_predecessors.c.predecessor_id, task_predecessors.c.task_id).where(
            task_predecessors.c.task_id.in_(tasks)
        )
    )
    return tasks, [tuple(pair) for pair in links]


def test_the_demo_has_a_failover_of_120_tasks_in_8_streams_that_somebody_does(app: Flask) -> None:
    assert seed(app)
    tasks, links = plan_of("Data-centre failover, region A to B")
    streams = Counter(each.stream_id for each in tasks.values())
    assert (len(tasks), len(streams), len(links)) == (120, 8, 180)
    assert min(streams.values()) >= 13
    begins = set(tasks) - {after for _, after in links}
    assert [tasks[each].title for each in begins] == ["Open the war room bridge and call the roll"]
    assigned = select(func.count(task_assignees.c.task_id.distinct()))
    assert db.session.scalar(assigned.where(task_assignees.c.task_id.in_(tasks))) == 120
    runbooks = select(Runbook.name).where(Runbook.purpose == Purpose.RUNBOOK).order_by(Runbook.id)
    assert list(db.session.scalars(runbooks)) == [
        "Core banking failover, region A to B",
        "Data-centre failover, region A to B",
    ]


def test_a_second_start_leaves_the_data_as_it_is(app: Flask) -> None:
    assert seed(app)
    assert not seed(app, tasks=10)
    query = select(func.count()).select_from(Runbook).where(Runbook.purpose == Purpose.RUNBOOK)
    assert db.session.scalar(query) == 2


def test_the_demo_has_a_template_and_a_snippet_that_dana_approved(app: Flask) -> None:
    assert seed(app)
    versions = db.session.scalars(select(TemplateVersion).order_by(TemplateVersion.id)).all()
    assert [
        (each.template.kind, each.template.name, each.state, each.author.name, each.decided_by.name)
        for each in versions
        if each.author and each.decided_by
    ] == [
        ("template", "Region failover", "approved", "Rune", "Dana"),
        ("snippet", "Roll call and health check", "approved", "Rune", "Dana"),
    ]


def streams_of_the_small_one() -> set[str]:
    query = select(Stream.name).join(Runbook).where(Runbook.name == "Data-centre failover, region A to B")
    return set(db.session.scalars(query))


@pytest.mark.parametrize("count", [1, 250])
def test_a_plan_of_any_size_is_made_of_it(app: Flask, count: int) -> None:
    assert seed(app, tasks=count)
    tasks, links = plan_of(f"Failover of every site, {count} tasks")
    assert [each.number for each in tasks.values()] == list(range(1, count + 1))
    assert {
        db.session.get_one(Stream, each.stream_id).name for each in tasks.values()
    } <= streams_of_the_small_one()
    assert len(in_order({each: [one for one, after in links if after == each] for each in tasks})) == count


def test_a_site_begins_when_the_one_before_has_its_go() -> None:
    plan = [PlannedTask(row, f"Task {row}", before=[row - 1] if row > 2 else []) for row in range(2, 10)]
    made = site_after_site(plan, 12)
    assert [(each.row, each.title, each.before) for each in made[7:10]] == [
        (9, "Site 1: Task 9", [8]),
        (12, "Site 2: Task 2", [8]),
        (13, "Site 2: Task 3", [12]),
    ]
