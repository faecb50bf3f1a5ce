"""The functions of migration 1440 that hold, charge and give back. See ``budget_functions``."""

# What each call demands of each account that bounds it.
_DEMANDS = """
CREATE FUNCTION budget_demands(teams uuid[], calls uuid[], users uuid[], keys uuid[],
    amounts numeric[], times timestamptz[])
RETURNS TABLE (team_id uuid, subject_kind text, subject_id uuid, starts_at timestamptz,
    amount numeric) STABLE LANGUAGE sql AS $$
    SELECT b.team_id, b.subject_kind, b.subject_id, budget_starts_at(b.period, r.created_at),
        r.amount
    FROM unnest(teams, calls, users, keys, amounts, times)
        AS r (team_id, call_id, user_id, key_id, amount, created_at)
    CROSS JOIN LATERAL (VALUES ('team', r.team_id), ('user', r.user_id), ('key', r.key_id))
        AS w (kind, id)
    JOIN budgets b ON b.team_id = r.team_id AND b.subject_kind = w.kind AND b.subject_id = w.id
$$;
"""

# Gives the holds of closed calls back and charges what they cost. A call that nothing was held for
# is charged too: it was made when the budget was not set, or not known to its process, yet.
_SETTLE = """
CREATE FUNCTION settle_budgets(teams uuid[], calls uuid[], users uuid[], keys uuid[],
    times timestamptz[], costs numeric[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    change record;
    b budgets;
    before budget_periods;
    spent numeric;
BEGIN
    PERFORM budget_lock(t, false) FROM (SELECT DISTINCT t FROM unnest(teams) t ORDER BY t) AS s;
    FOR change IN
        WITH given_back AS (
            DELETE FROM budget_holds h USING (
                SELECT h.team_id, h.call_id FROM unnest(teams, calls) AS r (team_id, call_id)
                JOIN budget_holds h ON h.team_id = r.team_id AND h.call_id = r.call_id
                ORDER BY h.team_id, h.call_id FOR UPDATE OF h
            ) AS l WHERE h.team_id = l.team_id AND h.call_id = l.call_id RETURNING h.*
        ), moved AS (
            SELECT team_id, user_id, key_id, created_at, 0::numeric AS settled, amount AS held
            FROM given_back
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

# What the ledger says a call has cost is what is charged, in the transaction that says it. An
# interrupted call has been charged what was held for it, which a late outcome corrects.
_FOLLOW_THE_LEDGER = """
CREATE FUNCTION charge_new_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows WHERE status <> 'open') THEN
        PERFORM settle_budgets(array_agg(team_id), array_agg(id), array_agg(user_id),
            array_agg(key_id), array_agg(created_at), array_agg(coalesce(cost, 0)))
            FROM new_rows WHERE status <> 'open';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION charge_changed_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM settle_budgets(array_agg(team_id), array_agg(id), array_agg(user_id),
        array_agg(key_id), array_agg(created_at), array_agg(cost))
    FROM (
        SELECT team_id, id, user_id, key_id, created_at, coalesce(cost, 0) AS cost
        FROM new_rows WHERE status <> 'open'
        UNION ALL
        SELECT team_id, id, user_id, key_id, created_at, -cost FROM old_rows WHERE cost <> 0
    ) AS r HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE TRIGGER tr_calls_charge_new AFTER INSERT ON calls REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION charge_new_calls();

CREATE TRIGGER tr_calls_charge_changed AFTER UPDATE ON calls
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION charge_changed_calls();
"""

# Returns those that are refused, each with the budget that has the least room for it. All is done
# at once where everything fits, which is nearly always; else one after the other, in order.
_TAKE = """
CREATE FUNCTION take_budget_holds(teams uuid[], calls uuid[], users uuid[], keys uuid[],
    amounts numeric[], times timestamptz[], expiry timestamptz, is_retry boolean)
RETURNS TABLE (place bigint, subject_kind text, subject_id uuid, amount numeric, period text,
    settled numeric, held numeric) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    demand record;
    one record;
    b budgets;
    account budget_periods;
    fits boolean := NOT is_retry;
BEGIN
    PERFORM budget_lock(t, false) FROM (SELECT DISTINCT t FROM unnest(teams) t ORDER BY t) AS s;
    FOR demand IN SELECT d.team_id, d.subject_kind, d.subject_id, d.starts_at,
        sum(d.amount) AS total FROM budget_demands(teams, calls, users, keys, amounts, times) AS d
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    LOOP
        SELECT * INTO b FROM budgets p WHERE p.team_id = demand.team_id
            AND p.subject_kind = demand.subject_kind AND p.subject_id = demand.subject_id;
        SELECT * INTO account FROM lock_budget_period(b, demand.starts_at);
        IF account IS NULL THEN
            SELECT * INTO account FROM lock_budget_period(b, demand.starts_at);
        END IF;
        fits := fits AND (NOT b.hard
            OR account.settled + account.held + demand.total <= b.amount);
    END LOOP;
    IF fits THEN
        INSERT INTO budget_holds (team_id, call_id, user_id, key_id, amount, created_at, expires_at)
            SELECT *, expiry FROM unnest(teams, calls, users, keys, amounts, times);
        PERFORM move_budgets(teams, calls, users, keys, amounts, times);
        RETURN;
    END IF;
    FOR one IN SELECT r.* FROM unnest(teams, calls, users, keys, amounts, times) WITH ORDINALITY
        AS r (team_id, call_id, user_id, key_id, wanted, created_at, nth) ORDER BY nth
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM budget_holds h
            WHERE h.team_id = one.team_id AND h.call_id = one.call_id);
        SELECT one.nth, d.subject_kind, d.subject_id, g.amount, g.period, p.settled, p.held
            INTO place, subject_kind, subject_id, amount, period, settled, held
            FROM budget_demands(ARRAY[one.team_id], ARRAY[one.call_id], ARRAY[one.user_id],
                ARRAY[one.key_id], ARRAY[one.wanted], ARRAY[one.created_at]) AS d
            JOIN budgets g USING (team_id, subject_kind, subject_id)
            JOIN budget_periods p USING (team_id, subject_kind, subject_id, starts_at)
            WHERE g.hard AND p.settled + p.held + one.wanted > g.amount
            ORDER BY g.amount - p.settled - p.held LIMIT 1;
        IF FOUND THEN
            RETURN NEXT;
            CONTINUE;
        END IF;
        INSERT INTO budget_holds (team_id, call_id, user_id, key_id, amount, created_at, expires_at)
            VALUES (one.team_id, one.call_id, one.user_id, one.key_id, one.wanted, one.created_at,
                expiry);
        PERFORM move_budgets(ARRAY[one.team_id], ARRAY[one.call_id], ARRAY[one.user_id],
            ARRAY[one.key_id], ARRAY[one.wanted], ARRAY[one.created_at]);
    END LOOP;
END $$;

CREATE FUNCTION move_budgets(teams uuid[], calls uuid[], users uuid[], keys uuid[],
    amounts numeric[], times timestamptz[]) RETURNS void LANGUAGE sql AS $$
    UPDATE budget_periods p SET held = p.held + d.total FROM (
        SELECT team_id, subject_kind, subject_id, starts_at, sum(amount) AS total
        FROM budget_demands(teams, calls, users, keys, amounts, times) GROUP BY 1, 2, 3, 4
    ) AS d WHERE p.team_id = d.team_id AND p.subject_kind = d.subject_kind
        AND p.subject_id = d.subject_id AND p.starts_at = d.starts_at
$$;
"""

# A hold that is not there any more was lost with the last moments of a database that crashed, or
# its call is closed. The accounts are locked before, as when holds are taken.
_RENEW = """
CREATE FUNCTION renew_budget_holds(teams uuid[], calls uuid[], users uuid[], keys uuid[],
    amounts numeric[], times timestamptz[], expiry timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lost record;
BEGIN
    UPDATE budget_holds h SET expires_at = expiry FROM (
        SELECT h.team_id, h.call_id FROM unnest(teams, calls) AS r (team_id, call_id)
        JOIN budget_holds h ON h.team_id = r.team_id AND h.call_id = r.call_id
        ORDER BY h.team_id, h.call_id FOR UPDATE OF h
    ) AS l WHERE h.team_id = l.team_id AND h.call_id = l.call_id;
    FOR lost IN SELECT r.* FROM unnest(teams, calls, users, keys, amounts, times)
        AS r (team_id, call_id, user_id, key_id, amount, created_at)
        WHERE NOT EXISTS (SELECT FROM budget_holds h
            WHERE h.team_id = r.team_id AND h.call_id = r.call_id)
        AND NOT EXISTS (SELECT FROM calls c
            WHERE c.team_id = r.team_id AND c.id = r.call_id AND c.status <> 'open')
    LOOP
        PERFORM budget_lock(lost.team_id, false);
        INSERT INTO budget_holds (team_id, call_id, user_id, key_id, amount, created_at, expires_at)
            VALUES (lost.team_id, lost.call_id, lost.user_id, lost.key_id, lost.amount,
                lost.created_at, expiry) ON CONFLICT DO NOTHING;
        CONTINUE WHEN NOT FOUND;
        PERFORM move_budgets(ARRAY[lost.team_id], ARRAY[lost.call_id], ARRAY[lost.user_id],
            ARRAY[lost.key_id], ARRAY[lost.amount], ARRAY[lost.created_at]);
    END LOOP;
END $$;
"""

# A call that still runs as far as the ledger knows is charged what was held for it.
_EXPIRE = """
CREATE FUNCTION expire_budget_holds(at timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    expired bigint;
BEGIN
    SELECT count(*) INTO expired FROM budget_holds WHERE expires_at <= at;
    IF expired = 0 THEN
        RETURN 0;
    END IF;
    UPDATE calls c SET status = 'interrupted', settled_at = at, error_code = 'HOLD_EXPIRED',
        cost = h.amount
        FROM budget_holds h WHERE h.expires_at <= at AND c.team_id = h.team_id
        AND c.id = h.call_id AND c.status = 'open';
    PERFORM settle_budgets(array_agg(team_id), array_agg(call_id), array_agg(user_id),
        array_agg(key_id), array_agg(created_at), array_agg(0::numeric))
        FROM budget_holds WHERE expires_at <= at HAVING count(*) > 0;
    RETURN expired;
END $$;
"""

FUNCTIONS = (_DEMANDS, _SETTLE, _FOLLOW_THE_LEDGER, _TAKE, _RENEW, _EXPIRE)

_ARRAYS = "uuid[], uuid[], uuid[], uuid[], numeric[], timestamptz[]"

DROPS = (
    "expire_budget_holds(timestamptz)",
    f"renew_budget_holds({_ARRAYS}, timestamptz)",
    f"take_budget_holds({_ARRAYS}, timestamptz, boolean)",
    f"move_budgets({_ARRAYS})",
    "settle_budgets(uuid[], uuid[], uuid[], uuid[], timestamptz[], numeric[])",
    f"budget_demands({_ARRAYS})",
)
TRIGGERS = {
    "tr_calls_charge_new": "charge_new_calls()",
    "tr_calls_charge_changed": "charge_changed_calls()",
}
