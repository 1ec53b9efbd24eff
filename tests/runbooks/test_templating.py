"""Templates: made from a runbook, versions and their approval, and runbooks made from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from tests.cast import Cast
from tests.runbooks.conftest import Audit, MakeAction, MakeField, MakeRunbook, Refuses, task
from webapp.accounts.models import User
from webapp.audit.models import AuditLine
from webapp.extensions import db
from webapp.fields import operations as field_operations
from webapp.fields import queries as fields
from webapp.integrations.models import Action
from webapp.notifications.models import Notification
from webapp.runbooks import lent, operations, queries
from webapp.runbooks.models import Comment, Runbook
from webapp.runbooks.operations import importing
from webapp.runbooks.refusals import NotNow, PlanRefused
from webapp.runbooks.sheets.reading import read
from webapp.runbooks.states import Mode
from webapp.runbooks.templates import queries as template_queries
from webapp.runbooks.templates.models import RunbookTemplate, TemplateKind, TemplateUse, TemplateVersion
from webapp.runbooks.templates.plan_diff import diff
from webapp.runbooks.templates.plan_facts import load_plan_facts
from webapp.workspaces.models import Membership

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MAY = datetime(2027, 5, 1, 22, 0, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
FROZEN = (
    "This version of the template is not a draft any more, so its plan cannot be changed. Make a new version."
)
OWN = "You wrote or submitted this version yourself. Someone else who may approve templates has to decide."


@pytest.fixture
def mona(cast: Cast) -> User:
    """The manager of Payments."""
    user = User(name="Mona", email="mona@example.com")
    user.memberships = [Membership(workspace_id=cast.payments, role="manager")]
    db.session.add(user)
    db.session.commit()
    return user


@pytest.fixture
def action(make_action: MakeAction) -> Action:
    return make_action()


@pytest.fixture
def runbook(make_runbook: MakeRunbook, action: Action, rune: User) -> Runbook:
    """Announce, then Switch, then Check; Announce is Rune's and has everything that a plan can say."""
    made = make_runbook("Announce", "Switch", "Check", waits={2: [1], 3: [2]}, actions={1: action})
    first = task(made, 1)
    first.description, first.duration_s, first.planned_start = "Say it", 900, TEN + timedelta(hours=1)
    first.assignees = [rune]
    made.description, made.planned_start = "The yearly failover", TEN
    db.session.commit()
    return made


def save(runbook: Runbook, by: User, **options: Any) -> TemplateVersion:
    wanted = {"name": "Failover", "description": "Once a year", "keep_assignees": True, **options}
    version = operations.save_as_template(runbook, by=by, **wanted)
    db.session.commit()
    return version


@pytest.fixture
def draft(runbook: Runbook, rune: User) -> TemplateVersion:
    """The first version of a template that Rune made of the runbook."""
    return save(runbook, rune)


@pytest.fixture
def approved(draft: TemplateVersion, rune: User, mona: User) -> TemplateVersion:
    operations.submit_version(draft, "The first one", by=rune)
    operations.approve_version(draft, by=mona)
    db.session.commit()
    return draft


def test_a_template_has_the_whole_plan_and_nothing_of_what_happened(
    runbook: Runbook, rune: User, make_field: MakeField, audit: Audit
) -> None:
    kept, transient = make_field(), make_field("Code of today", transient=True)
    for definition in (kept, transient):
        operations.save_field(task(runbook, 1), definition, ["hello"], by=rune)
    operations.add_comment(task(runbook, 1), "Ring twice", by=rune)
    db.session.commit()
    before = len(audit())
    version = save(runbook, rune)
    plan = version.runbook
    assert (plan.purpose, plan.state, plan.name, plan.frozen) == ("template", "planning", "Failover", False)
    assert not diff(load_plan_facts(runbook, UTC_ZONE), load_plan_facts(plan, UTC_ZONE)).any
    values = fields.values_of_task(task(plan, 1).id)
    assert {key: each.value for key, each in values.items()} == {kept.id: "hello"}
    assert db.session.scalar(select(func.count()).select_from(Comment)) == 1
    assert audit()[before:] == [
        ("template.created", "Failover", "Rune"),
        ("template_version.created", "Failover, version 1", "Rune"),
    ]
    assert (version.number, version.state, version.author_id) == (1, "draft", rune.id)
    assert (version.template.kind, version.template.description) == ("template", "Once a year")


def test_people_stay_only_where_that_is_wanted(runbook: Runbook, rune: User) -> None:
    assert [each.name for each in task(save(runbook, rune).runbook, 1).assignees] == ["Rune"]
    assert task(save(runbook, rune, keep_assignees=False).runbook, 1).assignees == []


def test_the_plan_of_a_version_is_no_runbook_and_cannot_be_started(
    draft: TemplateVersion, rune: User, action: Action, refuses: Refuses
) -> None:
    places = queries.places_of(rune)
    assert [each.name for each in queries.runbooks_in(places, ["planning"])] == ["Release 12"]
    assert queries.count_runbooks(places) == {"live": 0, "planned": 1, "done": 0}
    soon = queries.starting_next(places, TEN - timedelta(days=1), limit=9)
    assert [each.name for each in soon] == ["Release 12"]
    assert lent.usage([action.id]).runbooks == 1
    assert [each.label for each in lent.sample_tasks(rune, action.id)] == ["Release 12: #1 Announce"]
    with refuses(NotNow, "This is the plan of a template. Make a runbook from it, and start that."):
        operations.start_runbook(draft.runbook, Mode.REHEARSAL, by=rune)
    with refuses(NotNow, "This is the plan of a template. Make a runbook from an approved version of it."):
        operations.duplicate_runbook(
            draft.runbook, name="x", planned_start=None, keep_assignees=True, by=rune
        )
    with refuses(NotNow, "This is the plan of a template already."):
        save(draft.runbook, rune)


def test_a_draft_is_planned_like_any_runbook(draft: TemplateVersion, rune: User) -> None:
    plan = draft.runbook
    added = operations.add_task(plan, plan.streams[0], "Tell the press", by=rune)
    operations.delete_task(task(plan, 3), by=rune)
    db.session.commit()
    assert (added.number, [each.number for each in queries.names_within(plan.id)]) == (4, [1, 2, 4])


CHANGES: dict[str, Callable[[Runbook, User], object]] = {
    "a new task": lambda plan, by: operations.add_task(plan, plan.streams[0], "More", by=by),
    "another task": lambda plan, by: operations.edit_task(
        task(plan, 2), operations.Plan(title="x", stream=plan.streams[0]), by=by
    ),
    "a moved task": lambda plan, by: operations.step_tasks(plan, [2], 1, by=by),
    "pasted tasks": lambda plan, by: operations.add_tasks(plan, plan.streams[0], ["Call", "Wait"], by=by),
    "a deleted task": lambda plan, by: operations.delete_task(task(plan, 2), by=by),
    "a copied task": lambda plan, by: operations.duplicate_task(task(plan, 2), by=by),
    "a new stream": lambda plan, by: operations.add_stream(plan, "More", by=by),
    "another stream": lambda plan, by: operations.edit_stream(
        plan.streams[0], name="x", color=1, parent=None, by=by
    ),
    "many tasks": lambda plan, by: operations.edit_tasks(
        plan, [1, 2], operations.BulkEdit(duration_s=60), by=by
    ),
    "many deleted tasks": lambda plan, by: operations.delete_tasks(plan, [1, 2], by=by),
    "another name": lambda plan, by: operations.rename_runbook(
        plan, name="x", description="", planned_start=None, by=by
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_submitted_cannot_be_changed_until_it_is_taken_back(
    draft: TemplateVersion, rune: User, refuses: Refuses, what: str
) -> None:
    operations.submit_version(draft, "", by=rune)
    with refuses(NotNow, FROZEN):
        CHANGES[what](draft.runbook, rune)
    operations.withdraw_version(draft, by=rune)
    CHANGES[what](draft.runbook, rune)
    db.session.commit()
    assert draft.state == "draft"


def test_no_file_goes_into_a_plan_that_was_submitted(draft: TemplateVersion, rune: User) -> None:
    operations.submit_version(draft, "", by=rune)
    db.session.commit()
    found = importing.receive_plan(
        read(b"ID,Title\n1,Call\n"), file_name="a.csv", zone="UTC", by=rune, runbook=draft.runbook
    )
    found.state = "queued"
    db.session.commit()
    with pytest.raises(NotNow) as refusal:
        importing.perform_import(found.id, told=lambda written: None)
    assert str(refusal.value) == FROZEN
    db.session.rollback()


def test_a_comment_and_a_value_of_a_field_are_no_change_of_the_plan_and_one(
    draft: TemplateVersion, rune: User, make_field: MakeField
) -> None:
    definition = make_field()
    operations.submit_version(draft, "", by=rune)
    db.session.commit()
    operations.add_comment(task(draft.runbook, 1), "Who rings?", by=rune)
    with pytest.raises(NotNow) as refusal:
        operations.save_field(task(draft.runbook, 1), definition, ["hello"], by=rune)
    assert str(refusal.value) == FROZEN
    db.session.rollback()


def test_somebody_else_approves_it(draft: TemplateVersion, rune: User, mona: User, audit: Audit) -> None:
    before, seq = len(audit()), draft.runbook.seq
    operations.submit_version(draft, " The first one ", by=rune)
    operations.approve_version(draft, by=mona)
    db.session.commit()
    assert (draft.state, draft.note, draft.submitted_by, draft.decided_by) == (
        "approved",
        "The first one",
        rune,
        mona,
    )
    assert audit()[before:] == [
        ("template_version.submitted", "Failover, version 1", "Rune"),
        ("template_version.approved", "Failover, version 1", "Mona"),
    ]
    submitted = db.session.scalars(select(AuditLine).where(AuditLine.verb == "template_version.submitted"))
    assert submitted.one().after == {"state": "in_review", "note": "The first one"}
    assert draft.runbook.seq == seq + 2


def told(user: User) -> list[tuple[str, str, str]]:
    query = select(Notification).where(Notification.user_id == user.id).order_by(Notification.id)
    return [(each.kind, each.sentence, each.link) for each in db.session.scalars(query)]


def test_who_may_approve_it_is_told_and_so_is_its_author_of_what_was_decided(
    draft: TemplateVersion, rune: User, vera: User, mona: User
) -> None:
    operations.submit_version(draft, "", by=rune)
    operations.send_version_back(draft, "Who rings?", by=mona)
    db.session.commit()
    here, called = f"/templates/{draft.template_id}", "version 1 of the template “Failover”"
    assert told(mona) == [("template", f"Rune asks you to approve {called}.", here)]
    assert told(rune) == [("template", f"Mona sent back {called}.", here)]
    assert told(vera) == []
    draft.author_id = vera.id
    operations.submit_version(draft, "", by=rune)
    operations.approve_version(draft, by=mona)
    db.session.commit()
    assert told(rune)[1:] == told(vera) == [("template", f"Mona approved {called}.", here)]


def test_nobody_approves_or_sends_back_what_they_wrote_or_submitted_even_as_manager(
    runbook: Runbook, draft: TemplateVersion, rune: User, mona: User, refuses: Refuses
) -> None:
    of_mona = save(runbook, mona)
    operations.submit_version(of_mona, "", by=rune)
    operations.submit_version(draft, "", by=mona)
    for version in (of_mona, draft):
        with refuses(NotNow, OWN):
            operations.approve_version(version, by=mona)
        with refuses(NotNow, OWN):
            operations.send_version_back(version, "No", by=mona)


def test_what_is_sent_back_says_why_until_it_is_submitted_again(
    draft: TemplateVersion, rune: User, mona: User, refuses: Refuses
) -> None:
    operations.submit_version(draft, "", by=rune)
    with refuses(PlanRefused, "Say what is to be changed."):
        operations.send_version_back(draft, "  ", by=mona)
    operations.send_version_back(draft, "Who calls the regulator?", by=mona)
    assert (draft.state, draft.reason, draft.runbook.frozen) == ("draft", "Who calls the regulator?", False)
    with refuses(NotNow, "The version cannot be approved now. It is a draft."):
        operations.approve_version(draft, by=mona)
    operations.submit_version(draft, "", by=rune)
    assert (draft.state, draft.reason, draft.runbook.frozen) == ("in_review", "", True)


def test_a_template_has_one_version_at_a_time_that_is_not_decided(
    draft: TemplateVersion, rune: User, refuses: Refuses
) -> None:
    template = draft.template
    with refuses(NotNow, "Version 1 is not decided yet. Go on with it, or discard it first."):
        operations.new_version(template, draft.runbook, note="", by=rune)
    operations.discard_version(draft, by=rune)
    second = operations.new_version(template, draft.runbook, note=" Shorter ", by=rune)
    db.session.commit()
    assert (second.number, second.state, second.note) == (2, "draft", "Shorter")
    assert not diff(load_plan_facts(draft.runbook, UTC_ZONE), load_plan_facts(second.runbook, UTC_ZONE)).any


def test_a_version_of_a_runbook_begins_when_the_version_before_does(
    approved: TemplateVersion, rune: User
) -> None:
    made = operations.make_runbook(
        approved, name="May", description="", planned_start=MAY, keep_assignees=True, by=rune
    )
    assert task(made, 1).planned_start == MAY + timedelta(hours=1)
    second = operations.new_version(approved.template, made, note="", by=rune)
    db.session.commit()
    assert second.runbook.planned_start == TEN
    assert not diff(
        load_plan_facts(approved.runbook, UTC_ZONE), load_plan_facts(second.runbook, UTC_ZONE)
    ).any


def test_a_runbook_from_an_approved_version_has_its_plan_and_remembers_it(
    approved: TemplateVersion, rune: User, audit: Audit
) -> None:
    before = len(audit())
    made = operations.make_runbook(
        approved, name="Failover in May", description="", planned_start=MAY, keep_assignees=False, by=rune
    )
    db.session.commit()
    assert (made.purpose, made.state, made.frozen, made.owners) == ("runbook", "planning", False, [rune])
    assert (made.planned_start, made.description) == (MAY, "The yearly failover")
    assert task(made, 1).planned_start == MAY + timedelta(hours=1)
    assert task(made, 1).assignees == []
    assert audit()[before:] == [("runbook.created", "Failover in May", "Rune")]
    origin = template_queries.origin_of(made)
    assert origin == template_queries.Origin(approved, None)
    operations.start_runbook(made, Mode.REHEARSAL, by=rune)


def test_where_a_template_has_no_start_its_first_planned_start_moves_to_the_one_that_is_typed(
    runbook: Runbook, rune: User, mona: User
) -> None:
    runbook.planned_start = None
    task(runbook, 2).planned_start = TEN
    db.session.commit()
    version = save(runbook, rune)
    operations.submit_version(version, "", by=rune)
    operations.approve_version(version, by=mona)
    made = operations.make_runbook(
        version, name="May", description="", planned_start=MAY, keep_assignees=True, by=rune
    )
    assert [task(made, number).planned_start for number in (1, 2, 3)] == [MAY + timedelta(hours=1), MAY, None]


def test_a_runbook_hears_that_a_newer_version_is_approved(
    approved: TemplateVersion, rune: User, mona: User
) -> None:
    made = operations.make_runbook(
        approved, name="May", description="", planned_start=None, keep_assignees=True, by=rune
    )
    second = operations.new_version(approved.template, approved.runbook, note="", by=rune)
    operations.submit_version(second, "", by=rune)
    db.session.commit()
    assert template_queries.origin_of(made) == template_queries.Origin(approved, None)
    operations.approve_version(second, by=mona)
    db.session.commit()
    assert template_queries.origin_of(made) == template_queries.Origin(approved, 2)


def test_nothing_is_made_of_what_is_not_approved_or_archived(
    approved: TemplateVersion, rune: User, refuses: Refuses
) -> None:
    second = operations.new_version(approved.template, approved.runbook, note="", by=rune)
    options: dict[str, Any] = {"name": "x", "description": "", "planned_start": None, "keep_assignees": True}
    with refuses(NotNow, "Version 2 of Failover is not approved."):
        operations.make_runbook(second, **options, by=rune)
    operations.archive_template(approved.template, by=rune)
    for refused in (
        lambda: operations.make_runbook(approved, **options, by=rune),
        lambda: operations.submit_version(second, "", by=rune),
        lambda: operations.archive_template(approved.template, by=rune),
        lambda: operations.new_version(approved.template, approved.runbook, note="", by=rune),
    ):
        with refuses(NotNow, "Failover is archived. Restore it first."):
            refused()
    places = queries.places_of(rune)
    assert template_queries.usable_versions(places, TemplateKind.TEMPLATE) == []
    operations.restore_template(approved.template, by=rune)
    assert template_queries.usable_versions(places, TemplateKind.TEMPLATE) == [approved]
    with refuses(NotNow, "Failover is not archived."):
        operations.restore_template(approved.template, by=rune)


def test_its_name_is_that_of_its_plans_even_where_they_are_frozen(
    approved: TemplateVersion, rune: User, audit: Audit
) -> None:
    before = len(audit())
    operations.describe_template(approved.template, name="Failover of a region", description="", by=rune)
    db.session.commit()
    assert approved.runbook.name == "Failover of a region"
    assert audit()[before:] == [("template.changed", "Failover of a region", "Rune")]


def test_what_a_draft_changes_can_be_written_until_it_is_submitted(
    draft: TemplateVersion, rune: User, audit: Audit, refuses: Refuses
) -> None:
    before = len(audit())
    operations.note_changes(draft, " Shorter ", by=rune)
    operations.note_changes(draft, "Shorter", by=rune)
    assert (draft.note, audit()[before:]) == (
        "Shorter",
        [("template_version.changed", "Failover, version 1", "Rune")],
    )
    operations.submit_version(draft, draft.note, by=rune)
    with refuses(NotNow, "Version 1 is not a draft any more, so what was said about it stays."):
        operations.note_changes(draft, "Longer", by=rune)


def test_a_template_of_another_workspace_takes_no_version_from_here(
    approved: TemplateVersion, make_runbook: MakeRunbook, cast: Cast, rune: User, refuses: Refuses
) -> None:
    elsewhere = make_runbook("Call", name="Closing", workspace_id=cast.treasury)
    with refuses(NotNow, "Failover belongs to another workspace."):
        operations.new_version(approved.template, elsewhere, note="", by=rune)


def test_uses_are_counted_by_version(approved: TemplateVersion, rune: User) -> None:
    for name in ("One", "Two"):
        operations.make_runbook(
            approved, name=name, description="", planned_start=None, keep_assignees=True, by=rune
        )
    assert template_queries.used_by_version(approved.template) == {approved.id: 2}
    [listed] = template_queries.templates_in(queries.places_of(rune))
    assert (listed.used, listed.approved, listed.undecided, listed.latest) == (2, approved, None, approved)
    assert db.session.scalars(select(TemplateUse.whole)).all() == [True, True]


def test_what_waits_for_somebody_is_what_others_submitted_where_they_may_approve(
    draft: TemplateVersion, runbook: Runbook, rune: User, mona: User
) -> None:
    of_mona = save(runbook, mona)
    for version, by in ((draft, rune), (of_mona, mona)):
        operations.submit_version(version, "", by=by)
    db.session.commit()
    assert template_queries.waiting_for(mona) == {draft.template_id}
    assert template_queries.waiting_for(rune) == set()
    assert template_queries.count_waiting(mona) == 1
    assert db.session.scalar(select(func.count()).select_from(RunbookTemplate)) == 2


def test_comparing_reads_as_much_for_many_tasks_as_for_few(
    make_runbook: MakeRunbook, counting_queries: Callable[[], Any], rune: User, make_field: MakeField
) -> None:
    definition = make_field()
    counts = []
    for size in (2, 30):
        made = make_runbook(*(f"Task {number}" for number in range(size)))
        for number in range(1, size + 1):
            field_operations.save_value(definition, ["x"], by=rune, task=task(made, number))
        db.session.commit()
        db.session.expire_all()
        made.id  # noqa: B018
        with counting_queries() as seen:
            load_plan_facts(made, UTC_ZONE)
        counts.append(len(seen))
    assert counts[0] == counts[1]
