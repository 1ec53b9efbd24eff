"""time zones

Step b7c1d94e0a52, after a7c41f90d2e8.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'b7c1d94e0a52'
down_revision = 'a7c41f90d2e8'
branch_labels = None
depends_on = None

runbooks = sa.table('runbooks', sa.column('time_zone'), sa.column('created_by_id'))
users = sa.table('users', sa.column('id'), sa.column('time_zone'))


def upgrade() -> None:
    with op.batch_alter_table('runbooks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('time_zone', sa.String(length=60), nullable=False, server_default='UTC'))
    with op.batch_alter_table('runbooks', schema=None) as batch_op:
        batch_op.alter_column('time_zone', server_default=None)
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.add_column(sa.Column('in_own_zone', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.alter_column('in_own_zone', server_default=None)
    of_creator = sa.select(users.c.time_zone).where(users.c.id == runbooks.c.created_by_id).scalar_subquery()
    op.execute(
        runbooks.update()
        .where(runbooks.c.created_by_id.is_not(None))
        .values(time_zone=sa.func.coalesce(of_creator, 'UTC'))
    )
    # It was everybody's from the start and seldom chosen; times were shown in the browser's zone.
    op.execute(users.update().where(users.c.time_zone == 'UTC').values(time_zone=''))


def downgrade() -> None:
    op.execute(users.update().where(users.c.time_zone == '').values(time_zone='UTC'))
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.drop_column('in_own_zone')
    with op.batch_alter_table('runbooks', schema=None) as batch_op:
        batch_op.drop_column('time_zone')
