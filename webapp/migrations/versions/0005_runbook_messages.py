"""runbook messages

Step b4f7d19c2e35, after 8d2b6f0c4a91.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'b4f7d19c2e35'
down_revision = '8d2b6f0c4a91'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('runbooks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('message', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('message_by', sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column('message_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('runbooks', schema=None) as batch_op:
        batch_op.drop_column('message_at')
        batch_op.drop_column('message_by')
        batch_op.drop_column('message')
