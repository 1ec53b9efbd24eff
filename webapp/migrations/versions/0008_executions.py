"""rehearsals and live runs are kept

Step a7c41f90d2e8, after e5d20c7b94a6.

Whatever has been started gets its row. What happened in it is kept when it ends or goes back to planning; a live run that
has ended never does, and is read from its tasks, which no longer change.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'a7c41f90d2e8'
down_revision = 'e5d20c7b94a6'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'executions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('runbook_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('planned_start', sa.DateTime(timezone=True), nullable=True),
        sa.Column('shift_s', sa.Integer(), nullable=False),
        sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('started_by', sa.String(length=200), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_by', sa.String(length=200), nullable=False),
        sa.Column('ending', sa.String(length=20), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('kept', sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(['runbook_id'], ['runbooks.id'], name=op.f('fk_executions_runbook_id_runbooks'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_executions')),
        sa.UniqueConstraint('runbook_id', 'kind', 'number', name=op.f('uq_executions_runbook_id_kind_number')),
    )
    op.create_index(op.f('ix_executions_runbook_id'), 'executions', ['runbook_id'])
    op.execute(_OF_WHAT_WAS_STARTED)


def downgrade() -> None:
    op.drop_table('executions')


_LINE = """
    (SELECT {what} FROM audit_lines
     WHERE object_type = 'runbooks' AND object_id = runbooks.id AND verb IN ({verbs}) ORDER BY id DESC LIMIT 1)
"""
_OF_WHAT_WAS_STARTED = f"""
    INSERT INTO executions
        (runbook_id, kind, number, planned_start, shift_s, started_at, started_by, ended_at, ended_by, ending, reason)
    SELECT
        id, mode, 1, planned_start, 0, started_at,
        coalesce({_LINE.format(what='actor_name', verbs="'runbook.started'")}, ''),
        ended_at,
        CASE WHEN ended_at IS NULL THEN ''
            ELSE coalesce({_LINE.format(what='actor_name', verbs="'runbook.completed', 'runbook.cancelled'")}, '') END,
        CASE WHEN state IN ('complete', 'cancelled') THEN state END,
        CASE WHEN state = 'cancelled'
            THEN coalesce({_LINE.format(what='note', verbs="'runbook.cancelled'")}, '') ELSE '' END
    FROM runbooks WHERE mode IS NOT NULL AND started_at IS NOT NULL
"""
