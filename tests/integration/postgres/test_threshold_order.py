"""Thresholds that one call reaches at once are told of one after the other."""

from collections import defaultdict

import asyncpg

from tests.builders import TEAM_ID

# Enough that chance would put some of them in another order.
TIMES = 25
TELL = "SELECT tell_budget_thresholds(b, now(), $1, 0::int2, 100::int2) FROM budgets b"


async def test_the_ids_of_thresholds_are_in_their_order(sql: asyncpg.Connection) -> None:
    await sql.execute("INSERT INTO budgets VALUES ($1, 'team', $1, 5, 'month', true)", TEAM_ID)
    for spent in range(TIMES):
        await sql.execute(TELL, spent)

    told = await sql.fetch(
        "SELECT id, data->>'settled' AS spent, (data->>'threshold')::int AS threshold FROM events"
        " ORDER BY id"
    )

    thresholds = defaultdict(list)
    for row in told:
        thresholds[row["spent"]].append(row["threshold"])
    assert list(thresholds.values()) == [[50, 80, 90, 100]] * TIMES
    assert {row["id"].version for row in told} == {7}
