"""lessons

Step 3f1c8a6be7d2, after e67525430323.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '3f1c8a6be7d2'
down_revision = 'e67525430323'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('comments', schema=None) as batch_op:
        batch_op.add_column(sa.Column('lesson', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('comments', schema=None) as batch_op:
        batch_op.drop_column('lesson')
