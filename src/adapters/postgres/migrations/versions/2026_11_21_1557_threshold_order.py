"""Thresholds that are reached at once are told of in their order: ids begin with the millisecond,
and what follows was chance."""

from alembic import op

revision = "2026_11_21_1557_threshold_order"
down_revision = "2026_11_21_1555_former_names"
branch_labels = None
depends_on = None

_ID = """overlay(overlay(gen_random_uuid()::text placing '7' from 15 for 1)
            placing left(lowest_uuidv7(clock_timestamp())::text, 13) from 1 for 13)"""
_ID_IN_ORDER = f"overlay({_ID} placing lpad(to_hex(t::int), 3, '0') from 16 for 3)"
_TELL = """
CREATE OR REPLACE FUNCTION tell_budget_thresholds(b budgets, start timestamptz, spent numeric,
    told smallint, reached smallint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (team_id, id, at, type, data, user_id, permission)
    SELECT b.team_id, <id>::uuid, clock_timestamp(), 'budget.threshold_reached',
        jsonb_build_object(
            'subject', jsonb_build_object('kind', b.subject_kind, 'id', b.subject_id),
            'threshold', t, 'amount', trim_scale(b.amount)::text,
            'settled', trim_scale(spent)::text, 'period', b.period, 'hard', b.hard,
            'starts_at', CASE WHEN b.period <> 'total' THEN start END),
        CASE WHEN b.subject_kind = 'user' THEN b.subject_id END,
        CASE WHEN b.subject_kind <> 'user' THEN 'limits.manage' END
    FROM unnest('{50,80,90,100}'::smallint[]) AS t WHERE t > told AND t <= reached;
    PERFORM pg_notify('stoa_events', b.team_id::text);
END $$;
"""


def upgrade() -> None:
    op.execute(_TELL.replace("<id>", _ID_IN_ORDER))


def downgrade() -> None:
    op.execute(_TELL.replace("<id>", _ID))
