import structlog
from dishka import AsyncContainer, Scope

from application.operations.run_retention import RunRetention, RunRetentionCommand
from domain.operations.errors import RetentionRunningError

log = structlog.get_logger()


async def run_retention(container: AsyncContainer) -> None:
    """Remove old records, unless another process is at it."""
    async with container(scope=Scope.REQUEST) as request:
        remove_old_records = await request.get(RunRetention)
        try:
            await remove_old_records(RunRetentionCommand())
        except RetentionRunningError:
            log.debug("retention.left_to_another")
