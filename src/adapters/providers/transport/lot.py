import asyncio
import ssl
from collections import deque

from adapters.providers.transport.connection import Connection
from adapters.providers.transport.endpoint import Endpoint, Origin
from adapters.providers.transport.reach import Reach, addresses_within
from domain.inference.errors import ProviderTimedOutError, ProviderUnreachableError


class ConnectionLot:
    """The connections to one origin: at most ``limit``, callers beyond it wait in order.

    A waiter is handed either a connection that came free or, as ``None``, the right to open one.
    Idle connections are used last in, first out, so that those not needed grow old and expire.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        limit: int,
        tls: ssl.SSLContext | None,
        reach: Reach | None = None,
    ) -> None:
        self.idle: deque[Connection] = deque()
        self.connections: set[Connection] = set()
        self._origin = origin
        self._limit = limit
        self._tls = tls
        self._reach = reach
        self._slots = limit
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def take(self) -> Connection | None:
        """An idle connection, if there is one."""
        idle = self.idle
        return idle.pop() if idle else None

    async def acquire(self, endpoint: Endpoint) -> Connection:
        """Wait for a connection or open one, within the endpoint's connect timeout."""
        if self._closed:
            raise ProviderUnreachableError("The connections were closed.")
        try:
            async with asyncio.timeout(endpoint.timeouts.connect):
                if self._slots:
                    self._slots -= 1
                else:
                    connection = await self._wait()
                    if connection is not None:
                        return connection
                return await self._open(endpoint)
        except TimeoutError:
            raise ProviderTimedOutError(
                f"No connection to the provider '{endpoint.peer}' could be had in time."
            ) from None

    async def replace(self, endpoint: Endpoint) -> Connection:
        """A connection that is certainly new."""
        if not self._slots and self.idle:
            self.idle.popleft().abort()
        return await self.acquire(endpoint)

    def close(self) -> None:
        self._closed = True
        while (waiter := self._next_waiter()) is not None:
            waiter.set_exception(ProviderUnreachableError("The connections were closed."))
        for connection in tuple(self.connections):
            connection.stop()

    async def _wait(self) -> Connection | None:
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            connection = await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._give_back(waiter.result())
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise
        if connection is not None and connection.closed:
            # Its own end has given the slot to somebody else in the meantime.
            return await self._wait_again()
        return connection

    async def _wait_again(self) -> Connection | None:
        if self._slots:
            self._slots -= 1
            return None
        return await self._wait()

    async def _open(self, endpoint: Endpoint) -> Connection:
        try:
            connection = await self._connect(endpoint)
        except (OSError, UnicodeError) as error:
            self._give_back(None)
            said = "could not be reached"
            if isinstance(error, ssl.SSLError):
                said = "offers no TLS that can be trusted"
            raise ProviderUnreachableError(f"The provider '{endpoint.peer}' {said}.") from error
        except BaseException:
            self._give_back(None)
            raise
        if connection.closed or self._closed:
            connection.abort()
            self._give_back(None)
            raise ProviderUnreachableError(f"The provider '{endpoint.peer}' closed the connection.")
        self.connections.add(connection)
        return connection

    async def _connect(self, endpoint: Endpoint) -> Connection:
        origin = self._origin
        hosts = [origin.host]
        if self._reach is not None:
            hosts = await addresses_within(self._reach, origin.host, origin.port, endpoint.peer)
        for position, host in enumerate(hosts, start=1):
            try:
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._loop, self._free, self._lost),
                    host,
                    origin.port,
                    ssl=self._tls,
                    server_hostname=origin.host if self._tls else None,
                )
            except OSError:
                if position == len(hosts):
                    raise
            else:
                return connection
        raise OSError("The name has no address.")

    def _free(self, connection: Connection) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
        else:
            connection.idle_since = self._loop.time()
            self.idle.append(connection)

    def _lost(self, connection: Connection) -> None:
        if connection not in self.connections:
            return  # it broke between being made and being returned: _open gives its slot back
        self.connections.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        self._give_back(None)

    def _give_back(self, connection: Connection | None) -> None:
        if connection is not None:
            if not connection.closed:
                self._free(connection)
            return
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(None)
        else:
            self._slots += 1

    def _next_waiter(self) -> asyncio.Future[Connection | None] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None
