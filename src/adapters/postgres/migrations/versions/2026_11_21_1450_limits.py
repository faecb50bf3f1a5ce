"""Limits and their counters."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1450_limits"
down_revision = "2026_11_21_1440_budgets"
branch_labels = None
depends_on = None

# A batch of moves is decided in one statement, so that rows stay locked for microseconds and not
# for round trips. `counters` are the distinct rows of the batch in the order in which everybody
# locks them; each move belongs to one of them and all moves of an `item` happen or none. A move
# that `takes` needs room and may be refused; others give back. `slots` are the places of limits of
# concurrency: taken with a move that takes, and given back by the ids in `freed`.
_MOVE_LIMITS = """
CREATE FUNCTION move_limits(
    own bigint, teams uuid[], purposes text[], kinds text[], ids uuid[],
    item int[], counter int[], takes boolean[], rpm float8[], tpm float8[], concurrency int[],
    d_requests float8[], d_tokens float8[], slots uuid[],
    freed_counter int[], freed uuid[],
    OUT admitted boolean[], OUT requests float8[], OUT tokens float8[], OUT running int[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    tolerance CONSTANT float8 := 1e-6;
    moment timestamptz;
    r record;
    spent_requests float8[] := array_fill(0::float8, ARRAY[cardinality(ids)]);
    spent_tokens float8[] := spent_requests;
    elapsed float8[] := spent_requests;
    is_current boolean[] := array_fill(false, ARRAY[cardinality(ids)]);
    slots_of int[] := array_fill(-1, ARRAY[cardinality(ids)]);
    found int;
    first int := 1;
    last int;
    m int;
    c int;
    fits boolean;
BEGIN
    -- Rows are made before any is locked, so that nobody waits for somebody who waits for him.
    SELECT count(*) INTO found
    FROM unnest(teams, purposes, kinds, ids) AS k(team, purpose, kind, id)
    JOIN limit_counters l ON l.team_id = k.team AND l.purpose = k.purpose
        AND l.subject_kind = k.kind AND l.subject_id = k.id;
    IF found < cardinality(ids) THEN
        INSERT INTO limit_counters
            (team_id, purpose, subject_kind, subject_id, requests, tokens, at)
        SELECT k.team, k.purpose, k.kind, k.id, 0, 0, clock_timestamp()
        FROM unnest(teams, purposes, kinds, ids) WITH ORDINALITY AS k(team, purpose, kind, id, n)
        ORDER BY k.n
        ON CONFLICT DO NOTHING;
    END IF;
    FOR r IN
        SELECT k.n, l.requests, l.tokens, l.at
        FROM unnest(teams, purposes, kinds, ids) WITH ORDINALITY AS k(team, purpose, kind, id, n)
        JOIN limit_counters l ON l.team_id = k.team AND l.purpose = k.purpose
            AND l.subject_kind = k.kind AND l.subject_id = k.id
        ORDER BY k.n
        FOR UPDATE OF l
    LOOP
        spent_requests[r.n] := r.requests;
        spent_tokens[r.n] := r.tokens;
        elapsed[r.n] := GREATEST(0, EXTRACT(EPOCH FROM clock_timestamp() - r.at)::float8);
    END LOOP;
    moment := clock_timestamp();
    IF cardinality(freed) > 0 THEN
        DELETE FROM limit_slots s
        USING unnest(freed_counter, freed) AS f(counter, id)
        WHERE s.team_id = teams[f.counter] AND s.subject_kind = kinds[f.counter]
            AND s.subject_id = ids[f.counter] AND s.id = f.id;
    END IF;
    WHILE first <= cardinality(item) LOOP
        last := first;
        WHILE last < cardinality(item) AND item[last + 1] = item[first] LOOP
            last := last + 1;
        END LOOP;
        fits := true;
        FOR m IN first..last LOOP
            c := counter[m];
            IF NOT is_current[c] THEN
                is_current[c] := true;
                -- GREATEST leaves NULL out: what is not limited is not counted.
                spent_requests[c] := GREATEST(0, spent_requests[c] - elapsed[c] * rpm[m] / 60);
                spent_tokens[c] := GREATEST(0, spent_tokens[c] - elapsed[c] * tpm[m] / 60);
            END IF;
            IF takes[m] THEN
                fits := fits
                    AND COALESCE(spent_requests[c] + d_requests[m] <= rpm[m] + tolerance, true)
                    AND COALESCE(spent_tokens[c] + d_tokens[m] <= tpm[m] + tolerance, true);
            END IF;
            IF concurrency[m] IS NOT NULL THEN
                IF slots_of[c] < 0 THEN
                    slots_of[c] := limit_slots_held(teams[c], kinds[c], ids[c]);
                END IF;
                IF takes[m] AND slots_of[c] >= concurrency[m] THEN
                    slots_of[c] := slots_of[c]
                        - drop_dead_limit_slots(own, teams[c], kinds[c], ids[c]);
                    fits := fits AND slots_of[c] < concurrency[m];
                END IF;
            END IF;
        END LOOP;
        FOR m IN first..last LOOP
            c := counter[m];
            IF fits THEN
                spent_requests[c] := GREATEST(0, spent_requests[c] + d_requests[m]);
                spent_tokens[c] := GREATEST(0, spent_tokens[c] + d_tokens[m]);
                IF slots[m] IS NOT NULL THEN
                    slots_of[c] := slots_of[c] + 1;
                    INSERT INTO limit_slots (team_id, subject_kind, subject_id, id, process)
                    VALUES (teams[c], kinds[c], ids[c], slots[m], own) ON CONFLICT DO NOTHING;
                END IF;
            END IF;
            admitted[m] := fits;
            requests[m] := spent_requests[c];
            tokens[m] := spent_tokens[c];
            running[m] := GREATEST(0, slots_of[c]);
        END LOOP;
        first := last + 1;
    END LOOP;
    UPDATE limit_counters l
    SET requests = k.requests, tokens = k.tokens, at = moment
    FROM unnest(teams, purposes, kinds, ids, spent_requests, spent_tokens, is_current)
        AS k(team, purpose, kind, id, requests, tokens, is_current)
    WHERE k.is_current AND l.team_id = k.team AND l.purpose = k.purpose
        AND l.subject_kind = k.kind AND l.subject_id = k.id;
END $$
"""

_SLOTS_HELD = """
CREATE FUNCTION limit_slots_held(team uuid, kind text, subject uuid) RETURNS int LANGUAGE sql AS $$
    SELECT count(*)::int FROM limit_slots
    WHERE team_id = team AND subject_kind = kind AND subject_id = subject
$$
"""

# A process is dead when the lock on its number is free; the own one holds its own.
_DROP_DEAD_SLOTS = """
CREATE FUNCTION drop_dead_limit_slots(own bigint, team uuid, kind text, subject uuid) RETURNS int
LANGUAGE sql AS $$
    WITH held AS MATERIALIZED (
        SELECT DISTINCT process FROM limit_slots
        WHERE team_id = team AND subject_kind = kind AND subject_id = subject AND process <> own
    ), dead AS MATERIALIZED (
        SELECT process FROM held WHERE pg_try_advisory_xact_lock(process)
    ), dropped AS (
        DELETE FROM limit_slots
        WHERE team_id = team AND subject_kind = kind AND subject_id = subject
            AND process IN (SELECT process FROM dead)
        RETURNING 1
    )
    SELECT count(*)::int FROM dropped
$$
"""


def upgrade() -> None:
    op.create_table(
        "limit_counters",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("requests", sa.Double, nullable=False),
        sa.Column("tokens", sa.Double, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "team_id", "purpose", "subject_kind", "subject_id", name="pk_limit_counters"
        ),
        sa.CheckConstraint("purpose IN ('calls', 'api')", name=op.f("ck_limit_counters_purpose")),
        sa.CheckConstraint(
            "subject_kind IN ('team', 'user', 'key')", name=op.f("ck_limit_counters_subject_kind")
        ),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "limit_slots",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("process", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "team_id", "subject_kind", "subject_id", "id", name="pk_limit_slots"
        ),
        sa.CheckConstraint(
            "subject_kind IN ('team', 'user', 'key')", name=op.f("ck_limit_slots_subject_kind")
        ),
        prefixes=["UNLOGGED"],
    )
    # Half of each page stays free for the next versions of its rows, which change all the time.
    op.execute("ALTER TABLE limit_counters SET (fillfactor = 50)")
    for function in (_SLOTS_HELD, _DROP_DEAD_SLOTS, _MOVE_LIMITS):
        op.execute(sa.text(function.replace(":=", r"\:=")))


def downgrade() -> None:
    for function in ("move_limits", "drop_dead_limit_slots", "limit_slots_held"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("limit_slots")
    op.drop_table("limit_counters")
