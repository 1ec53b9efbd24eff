"""task types, rules of start and finish, fixed starts, results

Step f7b3d1a06c52, after b28d5fa1e3c6.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'f7b3d1a06c52'
down_revision = 'b28d5fa1e3c6'
branch_labels = None
depends_on = None

_NEW = (
    ('type', sa.String(length=20), 'normal'),
    ('fixed_start', sa.Boolean(), sa.false()),
    ('auto_start', sa.Boolean(), sa.false()),
    ('start_rule', sa.String(length=20), 'anyone'),
    ('start_quorum', sa.Integer(), '1'),
    ('finish_rule', sa.String(length=20), 'anyone'),
    ('finish_quorum', sa.Integer(), '1'),
    ('result_comment', sa.Text(), ''),
)


def upgrade() -> None:
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        for name, kind, default in _NEW:
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        batch_op.add_column(sa.Column('linked_runbook_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('result', sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column('tried_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_tasks_linked_runbook_id'), ['linked_runbook_id'], unique=False)
        batch_op.create_foreign_key(
            batch_op.f('fk_tasks_linked_runbook_id_runbooks'), 'runbooks', ['linked_runbook_id'], ['id']
        )
    tasks = sa.table(
        'tasks',
        sa.column('type', sa.String),
        sa.column('action_id', sa.Integer),
        sa.column('duration_s', sa.Integer),
        sa.column('state', sa.String),
    )
    op.execute(tasks.update().where(tasks.c.action_id.is_not(None)).values(type='integration'))
    # What took no time was called a milestone until now. One that someone has started still waits for its finish.
    points = sa.and_(tasks.c.action_id.is_(None), tasks.c.duration_s == 0, tasks.c.state != 'in_progress')
    op.execute(tasks.update().where(points).values(type='milestone'))


def downgrade() -> None:
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_tasks_linked_runbook_id_runbooks'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_tasks_linked_runbook_id'))
        for name in ('tried_at', 'result', 'linked_runbook_id', *(each for each, _, _ in reversed(_NEW))):
            batch_op.drop_column(name)
