"""sub-streams

Step b28d5fa1e3c6, after a17c4e90d2b5.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'b28d5fa1e3c6'
down_revision = 'a17c4e90d2b5'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.add_column(sa.Column('parent_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_streams_parent_id_streams'), 'streams', ['parent_id'], ['id'])


def downgrade() -> None:
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_streams_parent_id_streams'), type_='foreignkey')
        batch_op.drop_column('parent_id')
