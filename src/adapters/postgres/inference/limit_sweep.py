from adapters.postgres.engine import connect

SWEEP_EVERY_S = 600.0

# What was spent a day ago has grown back.
_DROP_IDLE = "DELETE FROM limit_counters WHERE at < now() - interval '1 day'"
_DROP_DEAD = """
WITH held AS MATERIALIZED (SELECT DISTINCT process FROM limit_slots WHERE process <> $1),
dead AS MATERIALIZED (SELECT process FROM held WHERE pg_try_advisory_xact_lock(process))
DELETE FROM limit_slots WHERE process IN (SELECT process FROM dead)
"""


async def sweep_limits(database_url: str, process: int) -> None:
    """Forget the counters that say nothing any more, and the places of dead processes, which
    otherwise go when somebody needs them. ``process`` is the number of this one."""
    connection = await connect(database_url, purpose="limit sweep")
    try:
        await connection.execute(_DROP_IDLE)
        await connection.execute(_DROP_DEAD, process)
    finally:
        connection.terminate()
