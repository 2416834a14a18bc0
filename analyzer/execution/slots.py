"""Hand the bytes of blocks to forked workers through shared memory: a pipe would copy each of them three times more."""

from collections.abc import Callable
from dataclasses import replace
from mmap import mmap
from queue import Empty
from typing import Any, NamedTuple

from analyzer.sources import Block

_SIZE = 6 << 20
"""Bytes of a slot: a block and the end of the piece that filled it; what is larger goes through the pipe."""


class Task(NamedTuple):
    """A block on its way; where it has a slot, its bytes are there."""

    block: Block
    slot: int | None = None


class Slots:
    """A few stretches of memory that a process shares with those it forks, each for one block at a time."""

    def __init__(self, context: Any, count: int) -> None:
        self._memory = [mmap(-1, _SIZE) for _ in range(count)]
        self._free = context.Queue()
        for slot in range(count):
            self._free.put(slot)
        self._lent: int | None = None

    def room(self, check: Callable[[], None]) -> mmap:
        """The memory of a free slot; the same again until a block in it was sent.

        `check` is called for each second that no slot is free.
        """
        while self._lent is None:
            try:
                self._lent = self._free.get(timeout=1)
            except Empty:
                check()
        return self._memory[self._lent]

    def task(self, block: Block) -> Task:
        """A block to be sent; one that is a view is in the slot that was lent."""
        if not isinstance(block.data, memoryview):
            return Task(block)
        slot, self._lent = self._lent, None
        return Task(replace(block, data=None), slot)

    def take(self, task: Task) -> Block:
        """The block with its bytes; the slot is free again."""
        if task.slot is None:
            return task.block
        data = self._memory[task.slot][: task.block.length]
        self._free.put(task.slot)
        return replace(task.block, data=data)

    def close(self) -> None:
        """Give the memory back, as soon as no block is a view of it."""
        self._free.cancel_join_thread()
        self._memory.clear()
