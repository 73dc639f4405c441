"""Run a node behind uvicorn: one process, one event loop, until told to stop or the node stops itself."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import structlog
import uvicorn

from zlp.server.app import VenueApp
from zlp.server.hub import Hub
from zlp.server.limits import Connections
from zlp.server.protocol import PatientProtocol
from zlp.server.stream import StreamProtocol

log = structlog.get_logger("zlp.server")
# The recovering thread asks for the interpreter after each signature; with the default of 5 ms it would wait
# longer than it computes.
SWITCH_SECONDS = 0.000_2
STOP_SECONDS = 10


def run_on_loop(main: Coroutine[Any, Any, None]) -> None:
    """``asyncio.run``, on uvloop where there is one: it writes an answer with one call of the system, not two."""
    if sys.platform == "win32":
        asyncio.run(main)
        return
    import uvloop

    uvloop.run(main)


def require_free(host: str, port: int) -> None:
    """Raise ``OSError`` that says what to do if somebody listens there already; better before a venue is opened."""
    if not port:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise OSError(
                f"can't listen on {host}, port {port}: {fault.strerror}; choose another with --port"
            ) from None


class _Listener(uvicorn.Server):
    """uvicorn without its signal handlers: it would raise the signal again before the node has stopped in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield


class VenueServer:
    """A venue on a socket. ``port`` 0 lets the system choose; ``address`` tells it once ``started``."""

    def __init__(self, app: VenueApp, *, host: str = "127.0.0.1", port: int = 8420, **uvicorn_options: Any) -> None:
        self.app, self.node = app, app.node
        self.hub = Hub(self.node)
        connections = Connections(app.limits)
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="none",  # the caller's: run_on_loop
            http=functools.partial(PatientProtocol, connections, app.posts, app.charge),  # type: ignore[arg-type]
            ws=functools.partial(StreamProtocol, self.hub, connections),  # type: ignore[arg-type]
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=2_048,
            timeout_graceful_shutdown=STOP_SECONDS,
            **uvicorn_options,
        )
        self._uvicorn = _Listener(config)

    @property
    def address(self) -> str:
        """Where it is reached from this machine."""
        host, port = self._uvicorn.servers[0].sockets[0].getsockname()[:2]
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
        return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"

    async def run(self, on_start: Callable[[str], None] | None = None, *, handle_signals: bool = False) -> None:
        """Serve until ``stop``, a signal, or a fault of the node; then stop the node in order."""
        sys.setswitchinterval(SWITCH_SECONDS)
        if handle_signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, self.stop)
        watcher = asyncio.create_task(self._watch(on_start))
        history = self.app.history
        following = None if history is None else asyncio.create_task(history.run())
        try:
            await self._uvicorn.serve()
        finally:
            watcher.cancel()
            self.app.verifier.close()
            if history is not None and following is not None:
                await history.stop(following)
            await self.node.stop()

    async def _watch(self, on_start: Callable[[str], None] | None) -> None:
        while not self._uvicorn.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
            await asyncio.sleep(0.005)
        log.info("listening", address=self.address)
        if on_start is not None:
            on_start(self.address)
        await self.node.stopped.wait()
        self._uvicorn.should_exit = True

    async def started(self) -> str:
        """Wait until it listens; where."""
        while not self._uvicorn.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
            await asyncio.sleep(0.005)
        return self.address

    def stop(self) -> None:
        """Finish what is under way and end; asked twice, end without waiting for slow clients."""
        self._uvicorn.force_exit = self._uvicorn.should_exit
        self._uvicorn.should_exit = True
