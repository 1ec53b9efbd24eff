"""Writing what a file says besides its columns: integration actions and custom field values of new tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import update

from webapp.accounts.models import User
from webapp.extensions import db
from webapp.fields import operations as fields
from webapp.runbooks.models import Runbook, Task
from webapp.runbooks.sheets.particulars import Resolved


def write_particulars(
    runbook: Runbook, particulars: Resolved, row_ids: Mapping[int, int], *, whole: bool, by: User
) -> None:
    """Give the tasks, by the file's row, their actions and values; with `whole` the runbook its own values.

    It is a part of the import, which audits it.
    """
    using: dict[int, list[int]] = defaultdict(list)
    for row, action_id in particulars.actions.items():
        using[action_id].append(row_ids[row])
    for action_id, task_ids in using.items():
        db.session.execute(
            update(Task)
            .where(Task.id.in_(task_ids))
            .values(action_id=action_id, type="integration")
            .execution_options(synchronize_session=False)
        )
    fields.add_task_values({row_ids[row]: held for row, held in particulars.values.items()}, by=by)
    if whole:
        fields.add_runbook_values(runbook.id, particulars.own, by=by)
