"""The functions of migration 1440: budgets in the database, next to the ledger that they follow.

All of them take locks in the same order, so that no two can wait for each other: first the team's
advisory lock (shared by those who move money, exclusive for whoever sets a budget), then calls,
then holds, then the accounts in the order of their keys. Only taking holds writes holds after it
has locked accounts, and those holds are new.
"""

# The class of the advisory locks spells "Stoa"; the object is the team.
_PURE = """
CREATE FUNCTION budget_lock(team uuid, exclusively boolean) RETURNS void LANGUAGE sql AS $$
    SELECT CASE WHEN exclusively THEN pg_advisory_xact_lock(1400139617, hashtext(team::text))
        ELSE pg_advisory_xact_lock_shared(1400139617, hashtext(team::text)) END
$$;

CREATE FUNCTION budget_starts_at(period text, at timestamptz) RETURNS timestamptz
IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN period = 'total' THEN timestamptz '1970-01-01 00:00:00+00'
        ELSE date_trunc(period, at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' END
$$;

CREATE FUNCTION budget_ends_at(period text, starts_at timestamptz) RETURNS timestamptz
IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN period = 'total' THEN timestamptz '9999-12-31 00:00:00+00'
        ELSE ((starts_at AT TIME ZONE 'UTC') + ('1 ' || period)::interval) AT TIME ZONE 'UTC' END
$$;

CREATE FUNCTION budget_threshold(settled numeric, amount numeric) RETURNS smallint
IMMUTABLE LANGUAGE sql AS $$
    SELECT (CASE WHEN settled <= 0 THEN 0 WHEN settled >= amount THEN 100
        WHEN settled * 10 >= amount * 9 THEN 90 WHEN settled * 10 >= amount * 8 THEN 80
        WHEN settled * 2 >= amount THEN 50 ELSE 0 END)::smallint
$$;

CREATE FUNCTION lowest_uuidv7(at timestamptz) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0')
        || repeat('0', 20))::uuid
$$;
"""

# The account of a budget in one period, as the ledger and the holds have it. The account is made
# first, so that whoever charges meanwhile waits, and then charges what was not visible here. The
# id of a call is made somewhat before its `created_at`: a day of slack costs nothing.
_OPEN = """
CREATE FUNCTION open_budget_period(b budgets, start timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    ends timestamptz := budget_ends_at(b.period, start);
    first_id uuid := lowest_uuidv7(greatest(start - interval '1 day', '1970-01-01 00:00:00+00'));
    spent numeric;
    reserved numeric;
BEGIN
    INSERT INTO budget_periods (team_id, subject_kind, subject_id, starts_at, settled, held,
        threshold) VALUES (b.team_id, b.subject_kind, b.subject_id, start, 0, 0, 0)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF b.subject_kind = 'key' THEN
        SELECT sum(c.cost) INTO spent FROM calls c WHERE c.team_id = b.team_id AND c.id >= first_id
            AND c.key_id = b.subject_id AND c.created_at >= start AND c.created_at < ends;
    ELSE
        SELECT sum(c.cost) INTO spent FROM calls c WHERE c.team_id = b.team_id AND c.id >= first_id
            AND (b.subject_kind = 'team' OR c.user_id = b.subject_id)
            AND c.created_at >= start AND c.created_at < ends;
    END IF;
    SELECT sum(h.amount) INTO reserved FROM budget_holds h WHERE h.team_id = b.team_id
        AND h.created_at >= start AND h.created_at < ends
        AND b.subject_id = CASE b.subject_kind
            WHEN 'team' THEN h.team_id WHEN 'user' THEN h.user_id ELSE h.key_id END;
    UPDATE budget_periods p SET settled = coalesce(spent, 0), held = coalesce(reserved, 0),
        threshold = budget_threshold(coalesce(spent, 0), b.amount)
        WHERE p.team_id = b.team_id AND p.subject_kind = b.subject_kind
        AND p.subject_id = b.subject_id AND p.starts_at = start;
    RETURN true;
END $$;
"""

# The account, locked; null where it had to be opened, and has everything already.
_LOCK_PERIOD = """
CREATE FUNCTION lock_budget_period(b budgets, start timestamptz) RETURNS budget_periods
LANGUAGE plpgsql AS $$
DECLARE
    account budget_periods;
BEGIN
    LOOP
        SELECT * INTO account FROM budget_periods p WHERE p.team_id = b.team_id
            AND p.subject_kind = b.subject_kind AND p.subject_id = b.subject_id
            AND p.starts_at = start FOR UPDATE;
        IF FOUND THEN
            RETURN account;
        END IF;
        IF open_budget_period(b, start) THEN
            RETURN NULL;
        END IF;
    END LOOP;
END $$;
"""

_SET = """
CREATE FUNCTION set_budget(team uuid, kind text, subject uuid, new_amount numeric,
    new_period text, is_hard boolean, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    b budgets;
    old_period text;
BEGIN
    PERFORM budget_lock(team, true);
    SELECT period INTO old_period FROM budgets
        WHERE team_id = team AND subject_kind = kind AND subject_id = subject;
    IF new_amount IS NULL OR old_period <> new_period THEN
        DELETE FROM budgets WHERE team_id = team AND subject_kind = kind AND subject_id = subject;
    END IF;
    IF new_amount IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO budgets (team_id, subject_kind, subject_id, amount, period, hard)
        VALUES (team, kind, subject, new_amount, new_period, is_hard)
        ON CONFLICT (team_id, subject_kind, subject_id)
        DO UPDATE SET amount = excluded.amount, hard = excluded.hard
        RETURNING * INTO b;
    IF NOT open_budget_period(b, budget_starts_at(new_period, at)) THEN
        UPDATE budget_periods SET threshold = budget_threshold(settled, new_amount)
            WHERE team_id = team AND subject_kind = kind AND subject_id = subject;
    END IF;
END $$;
"""

_TELL = """
CREATE FUNCTION tell_budget_thresholds(b budgets, start timestamptz, spent numeric, told smallint,
    reached smallint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (team_id, id, at, type, data, user_id, permission)
    SELECT b.team_id,
        overlay(overlay(gen_random_uuid()::text placing '7' from 15 for 1)
            placing left(lowest_uuidv7(clock_timestamp())::text, 13) from 1 for 13)::uuid,
        clock_timestamp(), 'budget.threshold_reached',
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

FUNCTIONS = (_PURE, _OPEN, _LOCK_PERIOD, _SET, _TELL)

DROPS = (
    "tell_budget_thresholds(budgets, timestamptz, numeric, smallint, smallint)",
    "set_budget(uuid, text, uuid, numeric, text, boolean, timestamptz)",
    "lock_budget_period(budgets, timestamptz)",
    "open_budget_period(budgets, timestamptz)",
    "lowest_uuidv7(timestamptz)",
    "budget_threshold(numeric, numeric)",
    "budget_ends_at(text, timestamptz)",
    "budget_starts_at(text, timestamptz)",
    "budget_lock(uuid, boolean)",
)
