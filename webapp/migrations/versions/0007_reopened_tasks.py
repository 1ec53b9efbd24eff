"""reopened tasks

Step e5d20c7b94a6, after c3a91e5d7f08.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'e5d20c7b94a6'
down_revision = 'c3a91e5d7f08'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reopened_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_column('reopened_at')
