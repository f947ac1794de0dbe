"""Many sessions, one writer: what arrives while a commit runs is stored together by the next one.

A commit costs the same for one mail as for fifty (one fsync), so this is what keeps a listener quick
although it answers 250 only for what is on disk.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue

from django.db import close_old_connections, connection

from complaints.intake import Arrival, StorageUnavailable, Stored, store_messages

log = logging.getLogger(__name__)
OnStored = Callable[[list[int]], None]
Waiting = tuple[Arrival, "asyncio.Future[Stored]"]
Answer = Stored | StorageUnavailable

LARGEST_GROUP, GROUP_BYTES = 500, 32 * 1024 * 1024
WAKE_AT_ONCE, GATHER_S = 500, 0.05  # a wake-up costs as much as storing twenty mails
STOP_S = 2


class GroupCommit:
    """`store` is for the event loop that called `start`; a thread of its own writes.

    on_stored: gets the ids of new messages after their commit, in another thread: neither the answer
    to the client nor the next commit waits for it.
    """

    def __init__(self, on_stored: OnStored) -> None:
        self.waiting: SimpleQueue[Waiting | None] = SimpleQueue()
        self.writer = threading.Thread(target=self.write, name="writer", daemon=True)
        self.waker = Waker(on_stored)
        self.stopping = False

    def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.writer.start()
        self.waker.thread.start()

    async def store(self, arrival: Arrival) -> Stored:
        """Returns when the mail is committed.

        Raises:
            StorageUnavailable: it is not stored.
        """
        if self.stopping:
            raise StorageUnavailable("the listener is being stopped")
        future: asyncio.Future[Stored] = self.loop.create_future()
        self.waiting.put((arrival, future))
        return await future

    async def stop(self) -> None:
        """Ends when everything handed in before is stored and answered."""
        self.stopping = True
        self.waiting.put(None)
        await asyncio.to_thread(self.writer.join)
        self.waker.ids.put(None)
        await asyncio.to_thread(self.waker.thread.join, STOP_S)

    def write(self) -> None:
        try:
            while group := self.next_group():
                answers = commit([arrival for arrival, _ in group])
                self.loop.call_soon_threadsafe(give_answers, group, answers)
                self.waker.wake(answers)
        finally:
            connection.close()

    def next_group(self) -> list[Waiting]:
        """What waits now, at least one; empty when it is time to stop."""
        group: list[Waiting] = []
        size = 0
        first = self.waiting.get()
        while first is not None:
            group.append(first)
            size += len(first[0].raw)
            if len(group) >= LARGEST_GROUP or size >= GROUP_BYTES:
                return group
            try:
                first = self.waiting.get_nowait()
            except Empty:
                return group
        if group:
            self.waiting.put(None)  # stop, but after these
        return group


def commit(arrivals: Sequence[Arrival]) -> Sequence[Answer]:
    """One answer each. A mail that breaks the writer is refused alone."""
    close_old_connections()
    try:
        return store_messages(arrivals)
    except StorageUnavailable as exc:
        log.error("%d mails were not stored, their senders will come again: %s", len(arrivals), exc)
        connection.close()  # the next group begins with a fresh one
        return [exc] * len(arrivals)
    except Exception:  # whatever it was, every session waits for an answer, and only a stored mail may get its 250
        if len(arrivals) > 1:
            return [commit([arrival])[0] for arrival in arrivals]
        log.exception("a mail of %d octets from %s was not stored", len(arrivals[0].raw), arrivals[0].peer)
        return [StorageUnavailable("the mail could not be stored")]


def give_answers(group: Iterable[Waiting], answers: Iterable[Answer]) -> None:
    for (_, future), answer in zip(group, answers, strict=True):
        if future.done():  # the client is gone; the mail is stored all the same
            continue
        if isinstance(answer, Stored):
            future.set_result(answer)
        else:
            future.set_exception(answer)


class Waker:
    """Tells who reads mail of what was stored, some at a time. A broker that is dead delays nobody else."""

    def __init__(self, on_stored: OnStored) -> None:
        self.on_stored = on_stored
        self.ids: SimpleQueue[int | None] = SimpleQueue()
        self.thread = threading.Thread(target=self.run, name="waker", daemon=True)

    def wake(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            if isinstance(answer, Stored) and answer.new:
                self.ids.put(answer.message_id)

    def run(self) -> None:
        going_on = True
        while going_on:
            ids = [self.ids.get()]
            time.sleep(GATHER_S)
            while len(ids) < WAKE_AT_ONCE and not self.ids.empty():
                ids.append(self.ids.get())
            going_on = None not in ids
            if known := [pk for pk in ids if pk is not None]:
                self.tell(known)

    def tell(self, ids: list[int]) -> None:
        try:
            self.on_stored(ids)
        except Exception:  # the mails are safe, and the sweep finds them
            log.exception("nobody could be told of %d stored messages", len(ids))
