import multiprocessing
from collections.abc import Iterator
from functools import partial

import pytest

from analyzer.execution.slots import Slots, Task
from analyzer.sources import Block, Compression, Opened, Source, blocks_of

SOURCE = Source("a.log.gz", (("source_pod", "web-0"),), 10, Compression.GZIP)
LINES = b"".join(b"%d\n" % number for number in range(1_500_000))


@pytest.fixture
def slots():
    made = Slots(multiprocessing.get_context("spawn"), 2)
    yield made
    made.close()


def unpacked(slots: Slots | None, data: bytes, piece: int = 1 << 18) -> Iterator[Block]:
    """The blocks of a packed source, unpacked into the slots where there are some."""
    pieces = (data[start : start + piece] for start in range(0, len(data), piece))
    return blocks_of(Opened(SOURCE, pieces), room=slots and partial(slots.room, check=lambda: None))


@pytest.mark.parametrize("piece", [100_003, 1 << 20, 7 << 20])
def test_blocks_come_out_as_they_went_in(slots: Slots, piece: int) -> None:
    taken = [slots.take(slots.task(block)) for block in unpacked(slots, LINES, piece)]

    assert taken == list(unpacked(None, LINES, piece))
    assert b"".join(block.load() for block in taken) == LINES


def test_a_task_in_a_slot_carries_no_bytes_of_its_own(slots: Slots) -> None:
    (block,) = unpacked(slots, b"one\n")

    assert slots.task(block).block.data is None


def test_a_slot_is_free_again_once_its_block_was_taken(slots: Slots) -> None:
    for number in range(5):
        (block,) = unpacked(slots, b"%d\n" % number)

        assert slots.take(slots.task(block)).load() == b"%d\n" % number


def test_waiting_for_a_slot_asks_whether_anybody_is_left_to_free_one(slots: Slots) -> None:
    def check() -> None:
        raise RuntimeError("all workers are gone")

    for _ in range(2):
        (block,) = unpacked(slots, b"one\n")
        slots.task(block)

    with pytest.raises(RuntimeError, match="all workers are gone"):
        slots.room(check)


def test_what_is_larger_than_a_slot_travels_with_its_task(slots: Slots) -> None:
    (block,) = unpacked(slots, b"x" * (7 << 20) + b"\n")

    assert slots.task(block) == Task(block)
    assert block.load() == b"x" * (7 << 20) + b"\n"


def test_a_block_that_is_read_elsewhere_needs_no_slot(slots: Slots) -> None:
    block = Block("a.log", (), 3, 17, None, 40, 9)

    assert slots.take(slots.task(block)) == block
