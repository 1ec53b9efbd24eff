"""confirmations of starts and finishes

Step a94c2e8d5b17, after f7b3d1a06c52.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'a94c2e8d5b17'
down_revision = 'f7b3d1a06c52'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'task_confirmations',
        sa.Column('task_id', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('moment', sa.String(length=10), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['task_id'], ['tasks.id'], name=op.f('fk_task_confirmations_task_id_tasks'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['user_id'], ['users.id'], name=op.f('fk_task_confirmations_user_id_users'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('task_id', 'user_id', 'moment', name=op.f('pk_task_confirmations')),
    )


def downgrade() -> None:
    op.drop_table('task_confirmations')
