import asyncio
from pathlib import Path

from adapters.providers.transport.connection import StaleConnectionError
from adapters.providers.transport.endpoint import Origin, header_line
from adapters.providers.transport.lot import ConnectionLot
from adapters.providers.transport.reach import present_reach
from adapters.providers.transport.tls import trust
from adapters.providers.transport.transport import Transport, UpstreamRequest, UpstreamResponse
from domain.inference.errors import ProviderUnreachableError

SWEEP_S = 0.1
IDLE_SWEEP_S = 1.0


class PoolTransport(Transport):
    """Our own HTTP/1.1 client: the hot path of the gateway.

    A kept connection is one ``write``; the parser calls back into the response that its reader
    waits on. One sweeper looks at the deadlines of all exchanges and at idle connections, a tenth
    of a second apart, so that timeouts cost a request nothing but a subtraction.
    """

    def __init__(
        self,
        *,
        max_connections: int = 512,
        idle_s: float = 30.0,
        ca_file: Path | None = None,
    ) -> None:
        self._max_connections = max_connections
        self._idle_s = idle_s
        self._reach = present_reach()
        # Loading the system's authorities takes long enough to wait until somebody needs them.
        self._tls = None if ca_file is None else trust(ca_file)
        self._lots: dict[Origin, ConnectionLot] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._resting = False
        self._closed = False

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        endpoint = request.endpoint
        lot = self._lots.get(endpoint.origin) or self._lot(endpoint.origin)
        lines = b"".join([header_line(name, value) for name, value in request.headers])
        total = endpoint.timeouts.total
        latest = float("inf") if total is None else asyncio.get_running_loop().time() + total
        connection = lot.take() or await lot.acquire(endpoint)
        if self._sweeper is None or self._resting:
            self._wake_sweeper()
        while True:
            response = connection.start(request, lines, latest=latest)
            try:
                while not response.status_code:
                    if response.error is not None:
                        raise response.error
                    await response.wait()
            except StaleConnectionError:
                # The next one is new, and so cannot be stale.
                connection = await lot.replace(endpoint)
            else:
                return response

    async def aclose(self) -> None:
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for lot in self._lots.values():
            lot.close()
        # The sockets close in callbacks of the loop.
        await asyncio.sleep(0)

    def _lot(self, origin: Origin) -> ConnectionLot:
        if self._closed:
            raise ProviderUnreachableError("The connections were closed.")
        tls = None
        if origin.scheme == "https":
            tls = self._tls = self._tls or trust(None)
        lot = self._lots[origin] = ConnectionLot(
            origin, limit=self._max_connections, tls=tls, reach=self._reach
        )
        return lot

    def _wake_sweeper(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._resting = False
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        busy = open_ = False
        for lot in self._lots.values():
            while lot.idle and lot.idle[0].idle_since + self._idle_s <= now:
                lot.idle.popleft().abort()
            for connection in tuple(lot.connections):
                if connection.deadline <= now:
                    connection.expire()
                busy = busy or connection.busy
            open_ = open_ or bool(lot.connections)
        self._resting = not busy
        self._sweeper = None
        if open_:
            self._sweeper = loop.call_later(IDLE_SWEEP_S if self._resting else SWEEP_S, self._sweep)
