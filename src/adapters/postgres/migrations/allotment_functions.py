"""The functions of migration 1560: calls whose holds come out of an allotment.

An allotment is a row of ``budget_holds`` with an id of its own. Whatever its calls are charged
leaves it in the same transaction, so that an account never has it twice, nor too little. Locks are
taken in the order that ``budget_functions`` tells.
"""

# As `settle_budgets` before it. `allotments` name those that `drawn` is taken out of: as much as
# is there. What is drawn may be negative: an interrupted call has been charged what was held for
# it, and what a late outcome gives back was the allotment's. So an allotment stays until nothing is
# left of it when its process gives it back, without `costs`, or until it expires.
_SETTLE_CALLS = """
CREATE FUNCTION settle_calls(teams uuid[], calls uuid[], users uuid[], keys uuid[],
    times timestamptz[], costs numeric[], allotments uuid[], drawn numeric[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    change record;
    b budgets;
    before budget_periods;
    spent numeric;
BEGIN
    PERFORM budget_lock(t, false) FROM (SELECT DISTINCT t FROM unnest(teams) t ORDER BY t) AS s;
    FOR change IN
        WITH concerned AS (
            SELECT team_id, hold_id, sum(amount) AS amount FROM (
                SELECT team_id, call_id AS hold_id, NULL::numeric AS amount
                FROM unnest(teams, calls) AS r (team_id, call_id) WHERE call_id IS NOT NULL
                UNION ALL
                SELECT team_id, allotment_id, amount
                FROM unnest(teams, allotments, drawn) AS r (team_id, allotment_id, amount)
                WHERE allotment_id IS NOT NULL AND (amount <> 0 OR costs IS NULL)
            ) AS r GROUP BY 1, 2
        ), locked AS MATERIALIZED (
            SELECT h.team_id, h.call_id, least(h.amount, coalesce(c.amount, h.amount)) AS leaving,
                h.amount, c.amount IS NULL OR (costs IS NULL AND c.amount >= h.amount) AS is_over
            FROM concerned c
            JOIN budget_holds h ON h.team_id = c.team_id AND h.call_id = c.hold_id
            ORDER BY h.team_id, h.call_id FOR UPDATE OF h
        ), given_back AS (
            DELETE FROM budget_holds h USING locked l WHERE l.is_over
                AND h.team_id = l.team_id AND h.call_id = l.call_id
                RETURNING h.team_id, h.user_id, h.key_id, h.created_at, l.leaving AS held
        ), taken_out AS (
            UPDATE budget_holds h SET amount = l.amount - l.leaving FROM locked l
                WHERE NOT l.is_over AND h.team_id = l.team_id AND h.call_id = l.call_id
                RETURNING h.team_id, h.user_id, h.key_id, h.created_at, l.leaving AS held
        ), moved AS (
            SELECT team_id, user_id, key_id, created_at, 0::numeric AS settled, held
            FROM given_back
            UNION ALL
            SELECT team_id, user_id, key_id, created_at, 0, held FROM taken_out
            UNION ALL
            SELECT team_id, user_id, key_id, created_at, cost, 0
            FROM unnest(teams, users, keys, times, costs)
                AS r (team_id, user_id, key_id, created_at, cost) WHERE cost <> 0
        )
        SELECT g.team_id, g.subject_kind, g.subject_id, s.starts_at, sum(m.settled) AS settled,
            sum(m.held) AS held
        FROM moved m
        CROSS JOIN LATERAL (VALUES ('team', m.team_id), ('user', m.user_id), ('key', m.key_id))
            AS w (kind, id)
        JOIN budgets g
            ON g.team_id = m.team_id AND g.subject_kind = w.kind AND g.subject_id = w.id
        CROSS JOIN LATERAL budget_starts_at(g.period, m.created_at) AS s (starts_at)
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    LOOP
        SELECT * INTO b FROM budgets p WHERE p.team_id = change.team_id
            AND p.subject_kind = change.subject_kind AND p.subject_id = change.subject_id;
        SELECT * INTO before FROM lock_budget_period(b, change.starts_at);
        -- A new account has the ledger's sum already, with what is charged here.
        CONTINUE WHEN before IS NULL;
        spent := before.settled + change.settled;
        UPDATE budget_periods p SET settled = spent, held = p.held - change.held,
            threshold = greatest(p.threshold, budget_threshold(spent, b.amount))
            WHERE p.team_id = change.team_id AND p.subject_kind = change.subject_kind
            AND p.subject_id = change.subject_id AND p.starts_at = change.starts_at;
        IF budget_threshold(spent, b.amount) > before.threshold THEN
            PERFORM tell_budget_thresholds(
                b, change.starts_at, spent, before.threshold, budget_threshold(spent, b.amount));
        END IF;
    END LOOP;
END $$;
"""

_SETTLE_BUDGETS = """
CREATE OR REPLACE FUNCTION settle_budgets(teams uuid[], calls uuid[], users uuid[], keys uuid[],
    times timestamptz[], costs numeric[]) RETURNS void LANGUAGE sql AS $$
    SELECT settle_calls(teams, calls, users, keys, times, costs, NULL, NULL)
$$;
"""

# A call with an allotment has no hold of its own.
_CHARGE_NEW = """
CREATE OR REPLACE FUNCTION charge_new_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows WHERE status <> 'open') THEN
        PERFORM settle_calls(array_agg(team_id),
            array_agg(CASE WHEN allotment_id IS NULL THEN id END), array_agg(user_id),
            array_agg(key_id), array_agg(created_at), array_agg(coalesce(cost, 0)),
            array_agg(allotment_id), array_agg(coalesce(cost, 0)))
            FROM new_rows WHERE status <> 'open';
    END IF;
    RETURN NULL;
END $$;
"""

_CHARGE_CHANGED = """
CREATE OR REPLACE FUNCTION charge_changed_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM settle_calls(array_agg(team_id),
        array_agg(CASE WHEN allotment_id IS NULL THEN id END), array_agg(user_id),
        array_agg(key_id), array_agg(created_at), array_agg(cost), array_agg(allotment_id),
        array_agg(cost))
    FROM (
        SELECT team_id, id, user_id, key_id, created_at, coalesce(cost, 0) AS cost, allotment_id
        FROM new_rows WHERE status <> 'open'
        UNION ALL
        SELECT team_id, id, user_id, key_id, created_at, -cost, allotment_id
        FROM old_rows WHERE cost <> 0
    ) AS r HAVING count(*) > 0;
    RETURN NULL;
END $$;
"""

# Returns how much was set aside: what is wanted, but no more than a part of the room in the
# tightest hard budget, and nothing if that is less than the least.
_ALLOT = """
CREATE FUNCTION allot_budget(team uuid, allotment uuid, owner uuid, api_key uuid, wanted numeric,
    least_wanted numeric, at timestamptz, expiry timestamptz) RETURNS numeric
LANGUAGE plpgsql AS $$
DECLARE
    demand record;
    b budgets;
    account budget_periods;
    granted numeric := wanted;
BEGIN
    PERFORM budget_lock(team, false);
    FOR demand IN SELECT d.* FROM budget_demands(ARRAY[team], ARRAY[allotment], ARRAY[owner],
        ARRAY[api_key], ARRAY[wanted], ARRAY[at]) AS d ORDER BY 1, 2, 3, 4
    LOOP
        SELECT * INTO b FROM budgets p WHERE p.team_id = demand.team_id
            AND p.subject_kind = demand.subject_kind AND p.subject_id = demand.subject_id;
        SELECT * INTO account FROM lock_budget_period(b, demand.starts_at);
        IF account IS NULL THEN
            SELECT * INTO account FROM lock_budget_period(b, demand.starts_at);
        END IF;
        IF b.hard THEN
            granted := least(granted,
                trunc((b.amount - account.settled - account.held) / 16, 6));
        END IF;
    END LOOP;
    IF granted < least_wanted OR granted <= 0 THEN
        RETURN 0;
    END IF;
    INSERT INTO budget_holds (team_id, call_id, user_id, key_id, amount, created_at, expires_at)
        VALUES (team, allotment, owner, api_key, granted, at, expiry);
    PERFORM move_budgets(ARRAY[team], ARRAY[allotment], ARRAY[owner], ARRAY[api_key],
        ARRAY[granted], ARRAY[at]);
    RETURN granted;
END $$;
"""

# Returns those that are there no more.
_RENEW = """
CREATE FUNCTION renew_allotments(teams uuid[], allotments uuid[], expiry timestamptz)
RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    UPDATE budget_holds h SET expires_at = expiry FROM (
        SELECT h.team_id, h.call_id FROM unnest(teams, allotments) AS r (team_id, call_id)
        JOIN budget_holds h ON h.team_id = r.team_id AND h.call_id = r.call_id
        ORDER BY h.team_id, h.call_id FOR UPDATE OF h
    ) AS l WHERE h.team_id = l.team_id AND h.call_id = l.call_id;
    RETURN QUERY SELECT r.call_id FROM unnest(teams, allotments) AS r (team_id, call_id)
        WHERE NOT EXISTS (SELECT FROM budget_holds h
            WHERE h.team_id = r.team_id AND h.call_id = r.call_id);
END $$;
"""

# What was held for a call says its hold, or its own row.
_EXPIRE = """
CREATE OR REPLACE FUNCTION expire_budget_holds(at timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    expired bigint;
BEGIN
    SELECT count(*) INTO expired FROM budget_holds WHERE expires_at <= at;
    IF expired = 0 THEN
        RETURN 0;
    END IF;
    UPDATE calls c SET status = 'interrupted', settled_at = at, error_code = 'HOLD_EXPIRED',
        cost = o.held
        FROM (
            SELECT h.team_id, h.call_id, h.amount AS held FROM budget_holds h
            WHERE h.expires_at <= at
            UNION ALL
            SELECT k.team_id, k.id, k.held FROM budget_holds h
            JOIN calls k ON k.status = 'open' AND k.team_id = h.team_id
                AND k.allotment_id = h.call_id
            WHERE h.expires_at <= at
        ) AS o WHERE c.team_id = o.team_id AND c.id = o.call_id AND c.status = 'open';
    PERFORM settle_budgets(array_agg(team_id), array_agg(call_id), array_agg(user_id),
        array_agg(key_id), array_agg(created_at), array_agg(0::numeric))
        FROM budget_holds WHERE expires_at <= at HAVING count(*) > 0;
    RETURN expired;
END $$;
"""

FUNCTIONS = (
    _SETTLE_CALLS,
    _SETTLE_BUDGETS,
    _CHARGE_NEW,
    _CHARGE_CHANGED,
    _ALLOT,
    _RENEW,
    _EXPIRE,
)

DROPS = (
    "renew_allotments(uuid[], uuid[], timestamptz)",
    "allot_budget(uuid, uuid, uuid, uuid, numeric, numeric, timestamptz, timestamptz)",
    "settle_calls(uuid[], uuid[], uuid[], uuid[], timestamptz[], numeric[], uuid[], numeric[])",
)
