"""plan changes

Step a17c4e90d2b5, after d80b3c6e1f52.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'a17c4e90d2b5'
down_revision = 'd80b3c6e1f52'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'plan_changes',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('runbook_id', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('seq', sa.Integer(), nullable=False),
        sa.Column('label', sa.String(length=200), nullable=False),
        sa.Column('rows', sa.JSON(), nullable=False),
        sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['runbook_id'], ['runbooks.id'], name=op.f('fk_plan_changes_runbook_id_runbooks'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_plan_changes_user_id_users')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_changes')),
    )
    op.create_index(op.f('ix_plan_changes_runbook_id_user_id'), 'plan_changes', ['runbook_id', 'user_id'])


def downgrade() -> None:
    op.drop_table('plan_changes')
