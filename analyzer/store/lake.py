"""One Delta Lake table: commits that appear whole or not at all, and reads of nothing but commits.

A batch is one transaction. It adds the batch's Parquet files, and by Delta's own means for idempotent writers
(`txn` actions: delta-io/delta PROTOCOL.md, Transaction Identifiers) the identity of each source; two writers
that bring the same source conflict, and the later one learns of it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analyzer.drafts import written
from analyzer.errors import TRY_WRITING, LakeError, Place, because
from analyzer.schema import ENTRY
from analyzer.store.layout import ENTRY_KIND, PARTITION_BY, REJECTED_KIND, ROW, partition_values
from analyzer.store.writer import WrittenFile

_RECORDS = "_sources"
"""Folder of the source records; Delta leaves names with a leading underscore alone, also when it vacuums."""
_SUMMARIES = "_summaries/v3"
"""Folder of the summaries; its version grows with their shape, and what has none is summed up from its entries."""
_BATCH = "egress-audit/batch/"
_SOURCE = "egress-audit/source/"
_COMMIT_TRIES = 20


@dataclass(frozen=True)
class SourceRecord:
    """One ingested source: its identity and its share of the tally.

    `size` is what it takes on disk (null for standard input), `bytes` what it holds when unpacked. `pods` are the pods
    that its lines are of, the empty name where a line does not say; `*` where they are too many to list. `content` is
    the identity of its content alone; `digest` is the same where neither name nor label says which pod wrote it.
    """

    origin: str
    digest: str
    size: int | None
    bytes: int
    lines: int
    entries: int
    rejected: int
    duplicates: int = 0
    rejected_by_reason: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    envelopes: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    pods: tuple[str, ...] = ()
    content: str = ""


@contextmanager
def sound(path: str | Path) -> Iterator[None]:
    """Read a part of the lake. Raises `LakeError` where it is gone, or holds what nobody of ours wrote."""
    try:
        yield
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        problem = because(error) if isinstance(error, OSError) and error.errno else str(error).split("\n", 1)[0]
        raise LakeError(
            f"the lake is damaged: {problem}", Place(str(path)), "ingest the sources again, into a new lake"
        ) from error


class SourceConflict(Exception):
    """Another writer has committed one of these sources meanwhile."""

    def __init__(self, digests: frozenset[str]) -> None:
        super().__init__(digests)
        self.digests = digests


class Lake:
    """The lake at a path; opening one that is not there yet is no error, reading it is."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def exists(self) -> bool:
        """Whether anything was ever committed."""
        return (self.path / "_delta_log").is_dir() and self._table_or_none() is not None

    def make(self) -> None:
        """Make the lake's folder, if there is none. Raises `LakeError` where that cannot be."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LakeError(
                f"no lake can be made here: {error.strerror}", Place(str(self.path)), TRY_WRITING
            ) from error

    def sources(self) -> list[SourceRecord]:
        """Every source that a commit made part of the lake, by origin."""
        table = self._table_or_none()
        if table is None:
            return []
        records: list[SourceRecord] = []
        for file in sorted((self.path / _RECORDS).glob("*.json")):
            if table.transaction_version(_BATCH + file.stem) is not None:
                with sound(file):
                    records += [_record(item) for item in json.loads(file.read_text(encoding="utf-8"))]
        return sorted(records, key=lambda record: (record.origin, record.digest))

    def summaries(self) -> list[dict[str, pa.Table]] | None:
        """What each batch holds in sum, as it was given to `commit`; null where some batch has none of this version.

        Raises `LakeError` where there is no lake.
        """
        table = self._table_or_none()
        if table is None:
            raise self._missing()
        kept: list[dict[str, pa.Table]] = []
        for record in sorted((self.path / _RECORDS).glob("*.json")):
            if table.transaction_version(_BATCH + record.stem) is None:
                continue
            files = sorted((self.path / _SUMMARIES / record.stem).glob("*.parquet"))
            if not files:
                return None
            with sound(files[0].parent):
                kept.append({file.stem: pq.read_table(file) for file in files})
        return kept

    def commit(
        self,
        batch: str,
        files: Sequence[WrittenFile],
        sources: Sequence[SourceRecord],
        summaries: Mapping[str, pa.Table] | None = None,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a batch part of the lake, whole or not at all, with what it holds in sum.

        `look` is called before each try and may raise to stop it; what is committed after it makes the try fail.
        Raises `SourceConflict` where another writer was quicker with one of the sources.
        """
        from deltalake.exceptions import CommitFailedError, DeltaError

        self._write_records(batch, sources)
        self._write_summaries(batch, summaries or {})
        for _ in range(_COMMIT_TRIES):
            # One snapshot for both: what was not in it when it was looked at makes the commit fail.
            table = self._table_or_none()
            _refuse_known(table, sources)
            look()
            try:
                self._commit_once(table, batch, files, sources)
                return
            except (CommitFailedError, DeltaError) as error:
                last = error
        raise LakeError(f"the lake did not take the batch: {last}", Place(str(self.path)), "run the ingest again")

    def forget(self, batch: str) -> None:
        """Remove what a batch left behind that was never committed; one that was stays as it is."""
        try:
            table = self._table_or_none()
        except LakeError:
            return
        if table is not None and table.transaction_version(_BATCH + batch) is not None:
            return
        left = [*self.path.glob(f"kind=*/day=*/{batch}-*"), *(self.path / _RECORDS).glob(f"{batch}.*")]
        left += (self.path / _SUMMARIES / batch).glob("*")
        with suppress(OSError):  # why the batch failed is what is worth saying
            for file in left:
                file.unlink(missing_ok=True)

    def entries(
        self, columns: Sequence[str] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Entries in stored order, in batches; `since` is included, `until` is not."""
        for file in self.entry_files(since, until):
            yield from read_entries(file, columns, since, until)

    def entry_files(self, since: datetime | None = None, until: datetime | None = None) -> list[str]:
        """Paths of the files that may hold entries of a time, in order."""
        return [
            str(self.path / path)
            for path, kind, day in self._files()
            if kind == ENTRY_KIND
            and (since is None or day is None or day >= since.astimezone(UTC).date())
            and (until is None or day is None or day <= until.astimezone(UTC).date())
        ]

    def rejected(self) -> Iterator[pa.RecordBatch]:
        """Rejected lines in stored order, in batches with origin, line_number, reason, text and the labels."""
        for path, kind, _ in self._files():
            if kind == REJECTED_KIND:
                with sound(self.path / path):
                    yield from pq.ParquetFile(self.path / path).iter_batches()

    def _files(self) -> list[tuple[str, str, date | None]]:
        table = self._table_or_none()
        if table is None:
            raise self._missing()
        actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
        found = [(item["path"], item["partition.kind"], _day(item["partition.day"])) for item in actions]
        return sorted(found, key=lambda item: (item[1], item[2] or date.min, item[0]))

    def _table_or_none(self) -> Any:
        if not (self.path / "_delta_log").is_dir():
            return None
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError

        try:
            return DeltaTable(str(self.path))
        except TableNotFoundError:
            return None
        except DeltaError as error:
            problem = str(error).split("\n", 1)[0]
            hint = "mend the table, or ingest the logs anew into another folder"
            raise LakeError(f"not a lake that can be read: {problem}", Place(str(self.path)), hint) from error

    def _commit_once(
        self, table: Any, batch: str, files: Sequence[WrittenFile], sources: Sequence[SourceRecord]
    ) -> None:
        from deltalake import CommitProperties, Schema, Transaction
        from deltalake.transaction import AddAction, create_table_with_add_actions

        actions = [
            AddAction(
                path=file.path,
                size=file.size,
                partition_values=partition_values(file.kind, file.day),
                modification_time=0,
                data_change=True,
                stats=file.statistics,
            )
            for file in files
        ]
        schema = Schema.from_arrow(ROW)
        identities = [_BATCH + batch, *(_SOURCE + source.digest for source in sources)]
        properties = CommitProperties(
            app_transactions=[Transaction(app_id=identity, version=1) for identity in identities],
            max_commit_retries=0,
        )
        if table is None:
            self.path.mkdir(parents=True, exist_ok=True)
            create_table_with_add_actions(
                str(self.path), schema, actions, mode="error", partition_by=PARTITION_BY, commit_properties=properties
            )
        else:
            table.create_write_transaction(actions, "append", schema, PARTITION_BY, commit_properties=properties)

    def _missing(self) -> LakeError:
        return LakeError(
            "there is no lake here", Place(str(self.path)), "`egress-audit ingest SOURCE... --lake DIR` makes one"
        )

    def _write_summaries(self, batch: str, summaries: Mapping[str, pa.Table]) -> None:
        """The commit that comes after makes them count; a reader never sees them half."""
        folder = self.path / _SUMMARIES / batch
        for name, table in summaries.items():
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")

    def _write_records(self, batch: str, sources: Sequence[SourceRecord]) -> None:
        target = self.path / _RECORDS / f"{batch}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(source) for source in sources], sort_keys=True, ensure_ascii=True)
        with written(target) as file:
            file.write(text.encode("ascii"))


def prepare_commit() -> None:
    """Import what a commit needs, for one who waits for others to write what is to be committed."""
    import deltalake.transaction  # noqa: F401


def _refuse_known(table: Any, sources: Iterable[SourceRecord]) -> None:
    if table is None:
        return
    known = frozenset(s.digest for s in sources if table.transaction_version(_SOURCE + s.digest) is not None)
    if known:
        raise SourceConflict(known)


def read_entries(
    path: str,
    columns: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    groups: Sequence[int] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Entries of one file of the lake (or of some of its row groups) in batches, text columns dictionary-coded."""
    text = [field.name for field in ENTRY if pa.types.is_dictionary(field.type)]
    with sound(path):
        file = pq.ParquetFile(path, read_dictionary=text)
        wanted = [name for name in file.schema_arrow.names if columns is None or name in columns]
        timed = wanted if since is None and until is None else [*wanted, *({"start_time"} - set(wanted))]
        for batch in file.iter_batches(columns=timed, batch_size=1 << 17, row_groups=groups):
            if since is not None or until is not None:
                batch = _between(batch, since, until).select(wanted)
            yield batch


def _between(batch: pa.RecordBatch, since: datetime | None, until: datetime | None) -> pa.RecordBatch:
    """Entries that began in a stretch of time; one without a time is in none."""
    times = batch.column("start_time")
    kept = pc.is_valid(times)
    if since is not None:
        kept = pc.and_(kept, pc.greater_equal(times, pa.scalar(since, times.type)))
    if until is not None:
        kept = pc.and_(kept, pc.less(times, pa.scalar(until, times.type)))
    return batch.filter(kept.fill_null(False))


def _record(item: dict[str, Any]) -> SourceRecord:
    return SourceRecord(**{**item, "notes": tuple(item["notes"]), "pods": tuple(item.get("pods", ()))})


def _day(value: Any) -> date | None:
    return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))
