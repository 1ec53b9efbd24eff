"""append-only audit

The database itself refuses to change or remove audit lines, whoever asks. A later step that makes the table anew,
as batch_alter_table does on SQLite, must make the triggers anew too.

Step 8d2b6f0c4a91, after 3f1c8a6be7d2.
"""

from __future__ import annotations

from alembic import op


revision = '8d2b6f0c4a91'
down_revision = '3f1c8a6be7d2'
branch_labels = None
depends_on = None

REFUSAL = 'audit lines are only ever added'


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(f"""
            CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$
        """)
        op.execute("""
            CREATE TRIGGER audit_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_lines
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
        """)
        return
    for event in ('update', 'delete'):
        op.execute(f"""
            CREATE TRIGGER audit_lines_no_{event} BEFORE {event.upper()} ON audit_lines
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
        """)


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP TRIGGER audit_lines_append_only ON audit_lines')
        op.execute('DROP FUNCTION refuse_audit_change()')
        return
    for event in ('update', 'delete'):
        op.execute(f'DROP TRIGGER audit_lines_no_{event}')
