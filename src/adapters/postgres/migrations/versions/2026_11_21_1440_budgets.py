"""Limits, budgets and what is held of them."""

import sqlalchemy as sa
from alembic import op

from adapters.postgres.migrations import budget_functions, hold_functions

revision = "2026_11_21_1440_budgets"
down_revision = "2026_11_21_1430_scopes"
branch_labels = None
depends_on = None

_KINDS = "subject_kind IN ('team', 'user', 'key')"
_SUBJECT = ["team_id", "subject_kind", "subject_id"]


def upgrade() -> None:
    for table, columns in (
        ("limits", [sa.Column(name, sa.Integer) for name in ("rpm", "tpm", "concurrency")]),
        (
            "budgets",
            [
                sa.Column("amount", sa.Numeric, nullable=False),
                sa.Column("period", sa.Text, nullable=False),
                sa.Column("hard", sa.Boolean, nullable=False),
            ],
        ),
    ):
        op.create_table(
            table,
            *_subject_columns(),
            *columns,
            sa.PrimaryKeyConstraint(*_SUBJECT, name=f"pk_{table}"),
            sa.ForeignKeyConstraint(
                ["team_id"], ["teams.id"], name=f"fk_{table}_team_id", ondelete="CASCADE"
            ),
            sa.CheckConstraint(_KINDS, name=op.f(f"ck_{table}_subject_kind")),
        )
    op.create_check_constraint(
        op.f("ck_budgets_period"), "budgets", "period IN ('day', 'week', 'month', 'total')"
    )
    _create_budget_periods()
    _create_budget_holds()
    for group in (*budget_functions.FUNCTIONS, *hold_functions.FUNCTIONS):
        for statement in group.strip().split("\n\nCREATE "):
            op.execute("CREATE " + statement.removeprefix("CREATE "))


def _create_budget_periods() -> None:
    op.create_table(
        "budget_periods",
        *_subject_columns(),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled", sa.Numeric, nullable=False),
        sa.Column("held", sa.Numeric, nullable=False),
        sa.Column("threshold", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint(*_SUBJECT, "starts_at", name="pk_budget_periods"),
        sa.ForeignKeyConstraint(
            _SUBJECT,
            [f"budgets.{name}" for name in _SUBJECT],
            name="fk_budget_periods_team_id_subject_kind_subject_id",
            ondelete="CASCADE",
        ),
    )


def _create_budget_holds() -> None:
    op.create_table(
        "budget_holds",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("call_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("key_id", sa.Uuid),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "call_id", name="pk_budget_holds"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_budget_holds_team_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_budget_holds_expires_at", "budget_holds", ["expires_at"])
    # A few rows that change with every call: heap-only updates need room in their page, and what
    # is left behind has to go before it is more than what is there.
    op.execute("ALTER TABLE budget_periods SET (fillfactor = 50)")
    for table in ("budget_periods", "budget_holds"):
        op.execute(
            f"ALTER TABLE {table} SET"
            " (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"
        )


def _subject_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
    ]


def downgrade() -> None:
    for trigger, function in hold_functions.TRIGGERS.items():
        op.execute(f"DROP TRIGGER {trigger} ON calls")
        op.execute(f"DROP FUNCTION {function}")
    for function in (*hold_functions.DROPS, *budget_functions.DROPS):
        op.execute(f"DROP FUNCTION {function}")
    for table in ("budget_holds", "budget_periods", "budgets", "limits"):
        op.drop_table(table)
