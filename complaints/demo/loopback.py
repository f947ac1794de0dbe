"""What the simulated world's servers share: they live on loopback only, in an event loop or in a thread."""

from __future__ import annotations

import abc
import asyncio
import ipaddress
import threading
from typing import Self


class LoopbackPeer(abc.ABC):
    """`async with peer:` serves in the running loop, `with peer:` in a thread of its own.

    Port 0 takes a free one; `port` says which after the start.
    """

    def __init__(self, address: str, port: int) -> None:
        if not ipaddress.ip_address(address).is_loopback:
            raise ValueError(f"{type(self).__name__}: {address} is no loopback address")
        self.address, self.port = address, port
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None

    @abc.abstractmethod
    async def start(self) -> None: ...

    @abc.abstractmethod
    async def stop(self) -> None: ...

    def start_in_thread(self) -> None:
        """Return when the server accepts. Raises OSError when it cannot bind."""
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self.start())
        except OSError:
            loop.close()
            raise
        self._loop = loop
        self._thread = threading.Thread(target=loop.run_forever, name=type(self).__name__, daemon=True)
        self._thread.start()

    def stop_in_thread(self) -> None:
        """May be called twice."""
        if self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._thread = None

    def __enter__(self) -> Self:
        self.start_in_thread()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_in_thread()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
