import multiprocessing

import pytest

from analyzer.execution.slots import Slots, Task
from analyzer.sources import Block


def block(data: bytes | None) -> Block:
    return Block("a.log.gz", (("source_pod", "web-0"),), 3, 17, data, 40, 9 if data is None else len(data))


@pytest.fixture
def slots():
    made = Slots(multiprocessing.get_context("spawn"), 2)
    yield made
    made.close()


@pytest.mark.parametrize("data", [b"one\ntwo\n", b"", b"\0" * (7 << 20), None])
def test_a_block_comes_out_as_it_went_in(slots: Slots, data: bytes | None) -> None:
    task = slots.lend(block(data), check=lambda: None)

    assert slots.take(task) == block(data)


def test_a_task_in_a_slot_carries_no_bytes_of_its_own(slots: Slots) -> None:
    assert slots.lend(block(b"one\n"), check=lambda: None).block.data is None


def test_a_slot_is_free_again_once_its_block_was_taken(slots: Slots) -> None:
    for number in range(5):
        task = slots.lend(block(b"%d\n" % number), check=lambda: None)

        assert slots.take(task).load() == b"%d\n" % number


def test_waiting_for_a_slot_asks_whether_anybody_is_left_to_free_one(slots: Slots) -> None:
    def check() -> None:
        raise RuntimeError("all workers are gone")

    for _ in range(2):
        slots.lend(block(b"one\n"), check)

    with pytest.raises(RuntimeError, match="all workers are gone"):
        slots.lend(block(b"two\n"), check)


def test_what_is_larger_than_a_slot_travels_with_its_task(slots: Slots) -> None:
    large = block(b"x" * (7 << 20))

    assert slots.lend(large, check=lambda: None) == Task(large)
