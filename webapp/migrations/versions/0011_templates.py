"""templates

Step d80b3c6e1f52, after b4f7a2c91d36.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = 'd80b3c6e1f52'
down_revision = 'b4f7a2c91d36'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('runbooks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('purpose', sa.String(length=20), server_default='runbook', nullable=False))
        batch_op.add_column(sa.Column('frozen', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table('runbook_templates',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], name=op.f('fk_runbook_templates_workspace_id_workspaces')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_runbook_templates'))
    )
    with op.batch_alter_table('runbook_templates', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_runbook_templates_workspace_id'), ['workspace_id'], unique=False)
    op.create_table('template_versions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('template_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('runbook_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('submitted_by_id', sa.Integer(), nullable=True),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['author_id'], ['users.id'], name=op.f('fk_template_versions_author_id_users')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_template_versions_decided_by_id_users')),
    sa.ForeignKeyConstraint(['runbook_id'], ['runbooks.id'], name=op.f('fk_template_versions_runbook_id_runbooks')),
    sa.ForeignKeyConstraint(['submitted_by_id'], ['users.id'], name=op.f('fk_template_versions_submitted_by_id_users')),
    sa.ForeignKeyConstraint(['template_id'], ['runbook_templates.id'], name=op.f('fk_template_versions_template_id_runbook_templates'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_template_versions')),
    sa.UniqueConstraint('runbook_id', name=op.f('uq_template_versions_runbook_id')),
    sa.UniqueConstraint('template_id', 'number', name=op.f('uq_template_versions_template_id_number'))
    )
    with op.batch_alter_table('template_versions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_template_versions_state'), ['state'], unique=False)
    op.create_table('template_uses',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('runbook_id', sa.Integer(), nullable=False),
    sa.Column('whole', sa.Boolean(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['users.id'], name=op.f('fk_template_uses_by_id_users')),
    sa.ForeignKeyConstraint(['runbook_id'], ['runbooks.id'], name=op.f('fk_template_uses_runbook_id_runbooks'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['version_id'], ['template_versions.id'], name=op.f('fk_template_uses_version_id_template_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_template_uses'))
    )
    with op.batch_alter_table('template_uses', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_template_uses_runbook_id'), ['runbook_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_template_uses_version_id'), ['version_id'], unique=False)


def downgrade() -> None:
    op.drop_table('template_uses')
    op.drop_table('template_versions')
    op.drop_table('runbook_templates')
    with op.batch_alter_table('runbooks', schema=None) as batch_op:
        batch_op.drop_column('frozen')
        batch_op.drop_column('purpose')
