"""Read sources into files of the lake, in this process or in several, without yet making them part of it."""

import multiprocessing as mp
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import Empty
from typing import Any, NamedTuple

from analyzer.collecting import collect_seldom
from analyzer.errors import AnalyzerError, because
from analyzer.execution.identity import Identity
from analyzer.execution.slots import Slots, Task
from analyzer.execution.tallying import SourceTally
from analyzer.execution.worker import Summaries, Worker
from analyzer.parsing import LogFormat, as_sent
from analyzer.parsing.envelopes import known_envelopes
from analyzer.parsing.framing import Framing
from analyzer.sources import Block, Buffer, Source, blocks_of, open_source
from analyzer.store import WrittenFile, prepare_commit

Progress = Callable[[int, int | None], None]
"""Told the bytes dispatched so far and, where every source's size is known, the bytes in all."""

_WORTH_WORKERS = 48 << 20
"""Bytes on disk; starting workers costs more than reading less than this."""
_LOOK_AROUND = 2.0
"""Seconds that a worker waits for a block before it looks whether anybody is left to send one."""
_BLOCKS_AHEAD = 2
"""Blocks that may wait for each worker; more would only hold memory."""


class Done(NamedTuple):
    """What one worker did."""

    files: list[WrittenFile]
    summaries: Summaries
    tallies: dict[str, SourceTally]


@dataclass
class Batch:
    """What reading some sources gave: files that no reader sees yet, and a tally per source.

    `read` are the sources that were found in `sources`: an archive gives one for each of its files.
    """

    sources: Sequence[Source]
    read: list[Source] = field(default_factory=list)
    files: list[WrittenFile] = field(default_factory=list)
    tallies: dict[str, SourceTally] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    summaries: list[Summaries] = field(default_factory=list)

    def take(self, done: Done) -> None:
        """Add what one worker did."""
        self.files += done.files
        self.summaries.append(done.summaries)
        for origin, tally in done.tallies.items():
            self.tallies.setdefault(origin, SourceTally()).add(tally)


def read_sources(
    sources: Sequence[Source],
    lake: Path,
    name: str,
    formats: Sequence[LogFormat],
    workers: int,
    progress: Progress | None = None,
) -> Batch:
    """Read every source; files are named after `name`, so that two batches never share one."""
    batch = Batch(sources)
    sizes = [source.size for source in sources]
    small = None not in sizes and sum(size or 0 for size in sizes) < _WORTH_WORKERS
    if workers <= 1 or small:
        worker = Worker(str(lake), f"{name}-0", formats)
        for block in _dispatched(batch, progress):
            worker.ingest(block)
        batch.take(Done(*worker.finish(), worker.tallies))
        return batch
    with _pool(lake, name, as_sent(formats), workers) as pool:
        for block in _dispatched(batch, progress, pool.room):
            pool.put(block)
        for done in pool.finish():
            batch.take(done)
    return batch


def _dispatched(batch: Batch, progress: Progress | None, room: Callable[[], Buffer] | None = None) -> Iterator[Block]:
    """The blocks of every source in turn, telling of progress."""
    sizes = [source.size for source in batch.sources]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    done = 0
    for source in batch.sources:
        reading = _Reading(batch)
        for opened in open_source(source, reading.note):
            reading.begin(opened.source)
            identity = Identity()
            for block in blocks_of(opened, seen=identity.update, cutter=Framing(), room=room):
                yield block
                if progress is not None:
                    progress(done + min(block.offset + block.length, source.size or sys.maxsize), total)
            batch.digests[opened.source.origin] = identity.text
        done += source.size or 0


class _Reading:
    """Notes go to the file that is being read; those from before the first file of an archive to that."""

    def __init__(self, batch: "Batch") -> None:
        self._batch = batch
        self._notes: list[str] = []
        self._early = self._notes

    def begin(self, source: Source) -> None:
        self._batch.read.append(source)
        self._notes = self._batch.notes.setdefault(source.origin, [])
        self._notes += self._early
        self._early = []

    def note(self, problem: str) -> None:
        if problem not in self._notes:
            self._notes.append(problem)


class _Pool:
    def __init__(self, processes: list[BaseProcess], tasks: Any, answers: Any, slots: Slots | None) -> None:
        self.processes, self.tasks, self.answers, self.slots = processes, tasks, answers, slots
        self.room = None if slots is None else partial(slots.room, self._check)

    def put(self, block: Block) -> None:
        task = Task(block) if self.slots is None else self.slots.task(block)
        while True:
            try:
                self.tasks.put(task, timeout=1)
            except Exception:  # full: see whether anybody is left to empty it
                self._check()
            else:
                return

    def finish(self) -> Iterator[Done]:
        for _ in self.processes:
            self.tasks.put(None)
        prepare_commit()
        for _ in self.processes:
            yield self._answer()

    def _answer(self) -> Done:
        while True:
            try:
                answer = self.answers.get(timeout=1)
            except Empty:
                self._check()
                continue
            if isinstance(answer, Exception):
                raise answer
            done: Done = answer
            return done

    def _check(self) -> None:
        """Raise what a worker died of; a worker that was killed leaves only its exit code."""
        try:
            answer = self.answers.get_nowait()
        except Empty:
            pass
        else:
            if isinstance(answer, Exception):
                raise answer
            self.answers.put(answer)
        dead = [process for process in self.processes if process.exitcode not in (None, 0)]
        if dead:
            raise AnalyzerError(
                f"a worker was killed (exit code {dead[0].exitcode})", hint="is there enough memory? try `--workers 1`"
            )


@contextmanager
def _pool(lake: Path, name: str, formats: Sequence[LogFormat | str], workers: int) -> Iterator[_Pool]:
    # Forked workers share what is imported already, so that goes first what they would import one by one; where
    # threads may hold locks, spawning is the safe way.
    forks = sys.platform == "linux"
    context: Any = mp.get_context("fork" if forks else "spawn")
    tasks, answers = context.Queue(maxsize=_BLOCKS_AHEAD * workers), context.Queue()
    slots = Slots(context, workers + 1) if forks else None
    known_envelopes()
    processes = [
        context.Process(
            target=_work, args=(str(lake), f"{name}-{number}", tuple(formats), tasks, answers, slots), daemon=True
        )
        for number in range(workers)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12+ warns of any thread at a fork
        for process in processes:
            process.start()
    try:
        yield _Pool(processes, tasks, answers, slots)
    finally:
        for process in processes:
            if process.is_alive():
                process.join(timeout=0.5)
                process.terminate()
            process.join()
        tasks.cancel_join_thread()
        if slots is not None:
            slots.close()


def _work(
    lake: str, name: str, formats: Sequence[LogFormat | str], tasks: Any, answers: Any, slots: Slots | None
) -> None:
    """A worker's life: blocks until there are no more, then one answer."""
    import pyarrow as pa

    from analyzer.parsing import as_received

    pa.set_cpu_count(1)
    collect_seldom()
    dispatcher = os.getppid()
    try:
        worker = Worker(lake, name, as_received(formats))
        while (task := _next(tasks, dispatcher)) is not None:
            worker.ingest(task.block if slots is None else slots.take(task))
        answers.put(Done(*worker.finish(), worker.tallies))
    except AnalyzerError as error:
        answers.put(error)
    except OSError as error:
        answers.put(OSError(error.errno, because(error), error.filename))
    except BaseException as error:
        hint = "the same with `--workers 1`, and with --debug before the command"
        answers.put(AnalyzerError(f"a worker failed: {type(error).__name__}: {error}", hint=hint))


def _next(tasks: Any, dispatcher: int) -> Any:
    """The next task; a worker whose dispatcher was killed would wait for it for ever, and ends instead."""
    while True:
        try:
            return tasks.get(timeout=_LOOK_AROUND)
        except Empty:
            if os.getppid() != dispatcher:
                os._exit(1)
