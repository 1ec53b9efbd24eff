"""rehearsals of connections

Step c3a91e5d7f08, after b4f7d19c2e35.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'c3a91e5d7f08'
down_revision = 'b4f7d19c2e35'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('integration_connections', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rehearsal_rule', sa.String(length=20), server_default='by_action', nullable=False))
        batch_op.add_column(sa.Column('sandbox_address', sa.String(length=500), server_default='', nullable=False))
        batch_op.add_column(sa.Column('sealed_sandbox_token', sa.LargeBinary(), nullable=True))
    with op.batch_alter_table('integration_runs', schema=None) as batch_op:
        batch_op.add_column(sa.Column('to_sandbox', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('integration_runs', schema=None) as batch_op:
        batch_op.drop_column('to_sandbox')
    with op.batch_alter_table('integration_connections', schema=None) as batch_op:
        batch_op.drop_column('sealed_sandbox_token')
        batch_op.drop_column('sandbox_address')
        batch_op.drop_column('rehearsal_rule')
