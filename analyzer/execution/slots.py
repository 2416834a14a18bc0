"""Hand the bytes of blocks to forked workers through shared memory: a pipe would copy each of them three times more."""

import mmap
from collections.abc import Callable
from dataclasses import replace
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
        self._memory = mmap.mmap(-1, count * _SIZE)
        self._free = context.Queue()
        for slot in range(count):
            self._free.put(slot)

    def lend(self, block: Block, check: Callable[[], None]) -> Task:
        """Put a block's bytes into a free slot; `check` is called for each second that there is none."""
        if block.data is None or len(block.data) > _SIZE:
            return Task(block)
        while True:
            try:
                slot = self._free.get(timeout=1)
            except Empty:
                check()
            else:
                break
        self._memory[slot * _SIZE : slot * _SIZE + len(block.data)] = block.data
        return Task(replace(block, data=None), slot)

    def take(self, task: Task) -> Block:
        """The block with its bytes; the slot is free again."""
        if task.slot is None:
            return task.block
        start = task.slot * _SIZE
        data = self._memory[start : start + task.block.length]
        self._free.put(task.slot)
        return replace(task.block, data=data)

    def close(self) -> None:
        """Give the memory back."""
        self._free.cancel_join_thread()
        self._memory.close()
