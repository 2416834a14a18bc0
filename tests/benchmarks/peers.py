"""The same job by DuckDB and by Polars: parse, classify, write Parquet, one row per source, host, port and class.

`python -m tests.benchmarks.peers duckdb|polars|duckdb-sums text|json FILE OUT` prints rows and bytes found, as JSON;
the last writes no rows, and so reads only what it sums up.
"""

import json
import sys
from functools import partial
from pathlib import Path

COLUMNS = [
    "ts",
    "req",
    "code",
    "flags",
    "details",
    "term",
    "tfr",
    "rx",
    "tx",
    "dur",
    "ust",
    "xff",
    "ua",
    "rid",
    "auth",
    "uh",
    "cl",
    "ula",
    "dla",
    "dra",
    "sni",
    "route",
]
NUMBERS = ("code", "rx", "tx", "dur")
JSON_NAMES = {
    "ts": "start_time", "code": "response_code", "flags": "response_flags", "details": "response_code_details",
    "term": "connection_termination_details", "tfr": "upstream_transport_failure_reason", "rx": "bytes_received",
    "tx": "bytes_sent", "dur": "duration", "ust": "upstream_service_time", "xff": "x_forwarded_for", "ua": "user_agent",
    "rid": "request_id", "auth": "authority", "uh": "upstream_host", "cl": "upstream_cluster",
    "ula": "upstream_local_address", "dla": "downstream_local_address", "dra": "downstream_remote_address",
    "sni": "requested_server_name", "route": "route_name", "method": "method", "path": "path", "protocol": "protocol",
}  # fmt: skip
OUTCOME = """case when route='block_all' then 'block_all' when route='allow_any' then 'allow_any'
 when cl='PassthroughCluster' then 'passthrough' when cl='BlackHoleCluster' then 'blackhole'
 when starts_with(cl,'outbound|') then 'registered' when starts_with(cl,'inbound|') then 'inbound' else 'other' end"""


def duckdb_source(kind: str, file: str) -> str:
    """Blanks as separators and lax quotes: the fastest recipe that keeps nearly every row."""
    if kind == "json":
        types = ",".join(
            f"'{n}':'{'BIGINT' if k in NUMBERS else 'TIMESTAMP' if k == 'ts' else 'VARCHAR'}'"
            for k, n in JSON_NAMES.items()
        )
        columns = ",".join(
            f"{n} as {k}" if k in ("ts", *NUMBERS) else f"coalesce({n},'-') as {k}" for k, n in JSON_NAMES.items()
        )
        return f"(select {columns} from read_ndjson('{file}',columns={{{types}}},ignore_errors=true) where start_time is not null)"  # fmt: skip
    types = ",".join(f"'{c}':'{'BIGINT' if c in NUMBERS else 'VARCHAR'}'" for c in COLUMNS)
    return f"""(select try_strptime(ts,'[%Y-%m-%dT%H:%M:%S.%gZ]') ts, split_part(req,' ',1) method, split_part(req,' ',2) path,
      split_part(req,' ',3) protocol, * exclude(ts,req) from read_csv('{file}',header=false,auto_detect=false,delim=' ',
      quote='"',escape='',columns={{{types}}},ignore_errors=true,strict_mode=false,null_padding=false))"""


def by_duckdb(kind: str, file: str, out: str, *, rows_too: bool = True) -> dict[str, int]:
    """Two threads, rows to Parquet, then the table of destinations from that; or that table alone."""
    import duckdb

    db = duckdb.connect()
    db.execute("set threads=2; set preserve_insertion_order=false; set enable_progress_bar=false")
    columns = "*" if rows_too else "dra, auth, sni, dla, rx, tx, ts"
    rows = f"(select {columns}, {OUTCOME} outcome from {duckdb_source(kind, file)})"
    if rows_too:
        db.execute(f"copy {rows} to '{out}/rows.parquet' (format parquet, compression zstd, compression_level 1)")
        rows = f"'{out}/rows.parquet'"
    db.execute(f"""create table agg as select split_part(dra,':',1) src, case when auth<>'-' then split_part(auth,':',1)
      when sni<>'-' then sni else split_part(dla,':',1) end host, try_cast(split_part(dla,':',-1) as int) port, outcome,
      count(*) n, sum(rx) rx, sum(tx) tx, min(ts) t0, max(ts) t1 from {rows} group by all""")
    db.execute(f"copy agg to '{out}/agg.parquet' (format parquet, compression zstd)")
    (found,) = db.execute("select sum(n)::bigint, sum(rx)::bigint, sum(tx)::bigint from agg").fetchall()
    return {"rows": found[0], "bytes_received": found[1], "bytes_sent": found[2]}


def by_polars(kind: str, file: str, out: str) -> dict[str, int]:
    """Streaming; text is cut at its quotes, so that rows with quotes of their own are lost."""
    import polars as pl

    if kind == "json":
        schema = {n: pl.Int64 if k in NUMBERS else pl.String for k, n in JSON_NAMES.items()}
        rows = pl.scan_ndjson(file, schema=schema, ignore_errors=True).rename(
            {n: k for k, n in JSON_NAMES.items() if n != k}
        )
        rows = rows.filter(pl.col("ts").is_not_null()).with_columns(pl.col("auth", "cl", "sni", "route").fill_null("-"))
    else:
        pieces = {f"c{n}": pl.String for n in range(16)}
        rows = pl.scan_csv(
            file, has_header=False, separator='"', quote_char=None, schema=pieces, ignore_errors=True,
            truncate_ragged_lines=True, missing_columns="insert",
        ).filter(pl.col("c14").is_not_null() & pl.col("c15").is_null())  # fmt: skip

        def words(piece: int, *names: str) -> pl.Expr:
            return (
                pl.col(f"c{piece}")
                .str.split_exact(" ", len(names) - 1)
                .struct.rename_fields(list(names))
                .alias(names[-1] + "_")
            )

        rows = rows.select(
            pl.col("c0").str.slice(1, 24).alias("ts"), words(1, "method", "path", "protocol"),
            words(2, "_a", "code", "flags", "details", "term"), pl.col("c3").alias("tfr"),
            words(4, "_b", "rx", "tx", "dur", "ust"), pl.col("c5").alias("xff"), pl.col("c7").alias("ua"),
            pl.col("c9").alias("rid"), pl.col("c11").alias("auth"), pl.col("c13").alias("uh"),
            words(14, "_d", "cl", "ula", "dla", "dra", "sni", "route"),
        )  # fmt: skip
        rows = (
            rows.unnest("protocol_", "term_", "ust_", "route_")
            .drop("_a", "_b", "_d")
            .filter(pl.col("route").is_not_null())
        )
        rows = rows.with_columns(pl.col(*NUMBERS).cast(pl.Int64, strict=False))
    when = pl.when(pl.col("route") == "block_all").then(pl.lit("block_all"))
    when = when.when(pl.col("route") == "allow_any").then(pl.lit("allow_any"))
    when = when.when(pl.col("cl") == "PassthroughCluster").then(pl.lit("passthrough"))
    when = when.when(pl.col("cl") == "BlackHoleCluster").then(pl.lit("blackhole"))
    when = when.when(pl.col("cl").str.starts_with("outbound|")).then(pl.lit("registered"))
    rows = rows.with_columns(
        pl.col("ts").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", strict=False), outcome=when.otherwise(pl.lit("other"))
    )
    rows.sink_parquet(f"{out}/rows.parquet", compression="zstd", compression_level=1, engine="streaming")
    first = pl.col("auth").str.split_exact(":", 1).struct.field("field_0")
    place = pl.col("dla").str.split_exact(":", 1).struct
    host = (
        pl.when(pl.col("auth") != "-")
        .then(first)
        .when(pl.col("sni") != "-")
        .then(pl.col("sni"))
        .otherwise(place.field("field_0"))
    )
    keyed = pl.scan_parquet(f"{out}/rows.parquet").select(
        src=pl.col("dra").str.split_exact(":", 1).struct.field("field_0"), host=host, port=place.field("field_1"),
        outcome="outcome", rx="rx", tx="tx", ts="ts",
    )  # fmt: skip
    sums = keyed.group_by("src", "host", "port", "outcome").agg(pl.len().alias("n"), pl.col("rx").sum(), pl.col("tx").sum(), pl.col("ts").min().alias("t0"), pl.col("ts").max().alias("t1"))  # fmt: skip
    table = sums.collect(engine="streaming")
    table.write_parquet(f"{out}/agg.parquet")
    return {
        "rows": int(table["n"].sum()),
        "bytes_received": int(table["rx"].sum()),
        "bytes_sent": int(table["tx"].sum()),
    }


def main() -> None:
    """Do the job and say what was found."""
    tool, kind, file, out = sys.argv[1:5]
    Path(out).mkdir(parents=True, exist_ok=True)
    jobs = {"duckdb": by_duckdb, "duckdb-sums": partial(by_duckdb, rows_too=False), "polars": by_polars}
    print(json.dumps(jobs[tool](kind, file, out)))


if __name__ == "__main__":
    main()
