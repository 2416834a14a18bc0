"""The loop that the tool promises: read the logs, propose, apply, send the same traffic again.

The tool is used as its users do, by command line and files; only the logs and the applied manifests are Envoy's.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.mesh import load_mesh
from analyzer.mesh.model import ServiceEntry
from analyzer.store import Lake
from analyzer.vocabulary import NEWEST_ISTIO, Mode, Verdict
from tests.envoy import story
from tests.envoy.access_logs import ISTIO_TEXT
from tests.envoy.bootstrap import Configuration
from tests.envoy.cases import Case
from tests.envoy.running import Run, lines_of, play
from tests.envoy.sample_logs import Day
from tests.envoy.servers import World
from tests.envoy.story import Part, Pod

Key = tuple[str, str, str, int]
"""Namespace, workload, host or address, port."""


@dataclass(frozen=True)
class Destination:
    """What the tool said of a destination, and what became of the same traffic under what it proposed."""

    key: Key
    verdict: Verdict
    proposed: bool
    predicted: Mapping[str, int]
    reached: int
    tried: int
    worked_before: int


@dataclass(frozen=True)
class Stage:
    """A mesh with traffic in it: what was played `before`, by namespace, and how to play it again."""

    pods: tuple[Pod, ...]
    before: Mapping[str, Run]
    existing: tuple[ServiceEntry, ...]
    calls: Callable[[str], list[Case]]
    configuration: Callable[[str, Mode, tuple[ServiceEntry, ...]], Configuration]
    settings: str = ""
    istio_version: str = NEWEST_ISTIO


def part_of(day: Day, part: Part) -> Stage:
    """A part of the day of the sample logs."""
    return Stage(
        pods=story.CAST,
        before={namespace: day[part, namespace] for namespace in story.NAMESPACES},
        existing=story.registered(part),
        calls=lambda namespace: [case for case in story.calls(namespace, part) if not case.inbound],
        configuration=story.configuration,
    )


def go_round(world: World, stage: Stage, folder: Path) -> dict[Key, Destination]:
    """Audit the logs of a stage, apply what is proposed under REGISTRY_ONLY, and send its traffic again."""
    lake, out = str(folder / "lake"), folder / "out"
    existing, settings = _write_mesh(stage, folder / "mesh.json"), folder / "settings.toml"
    settings.write_text(stage.settings)
    common = ("--lake", lake, "--mesh", existing, "--istio-version", stage.istio_version)
    judged = ("--settings", str(settings))
    _tool("run", _write_logs(stage, folder / "logs"), *common, *judged, "--out", str(out), "--quiet")
    destinations = _tool("destinations", "--lake", lake, *judged, "--output", "json")
    replay = _tool("simulate", *common, "--manifests", str(out / "manifests"), "--output", "json")
    applied, warnings = load_mesh([existing, str(out / "manifests")])
    assert warnings == []
    after = {
        namespace: play(
            world,
            stage.configuration(namespace, Mode.REGISTRY_ONLY, applied.service_entries),
            stage.calls(namespace),
            folder / "after" / namespace,
            at_once=1,
        )
        for namespace in stage.before
    }
    proposed = {host for entry in applied.service_entries for host in entry.hosts}
    return _compared(_keys(lake), json.loads(destinations), json.loads(replay), stage.before, after, proposed)


def _compared(
    keys: Mapping[tuple[str, int], Key],
    destinations: list[dict[str, Any]],
    replay: dict[str, Any],
    before: Mapping[str, Run],
    after: Mapping[str, Run],
    proposed: set[str],
) -> dict[Key, Destination]:
    worked = [_reached(keys, runs) for runs in (before, after)]
    tried = Counter(keys.values())
    predicted = {_key(row): row["by_outcome"] for row in replay["destinations"]}
    return {
        key: Destination(
            key=key,
            verdict=Verdict(row["verdict"]),
            proposed=key[2] in proposed,
            predicted=predicted.get(key, {}),
            reached=worked[1][key],
            tried=tried[key],
            worked_before=worked[0][key],
        )
        for row in destinations
        if (key := _key(row)) in tried
    }


def _reached(keys: Mapping[tuple[str, int], Key], runs: Mapping[str, Run]) -> Counter[Key]:
    return Counter(
        keys[namespace, sent.own_port]
        for namespace, run in runs.items()
        for sent in run.sent
        if sent.reply.worked and not sent.case.inbound
    )


def _keys(lake: str) -> dict[tuple[str, int], Key]:
    """Which destination each connection was to, as the tool read it: by namespace and the client's port."""
    wanted = ["source_namespace", "source_workload", "host", "destination_ip", "destination_port", "direction"]
    rows = (row for batch in Lake(lake).entries([*wanted, "downstream_remote_address"]) for row in batch.to_pylist())
    return {
        (row["source_namespace"], int(row["downstream_remote_address"].rpartition(":")[2])): _key(row)
        for row in rows
        if row["direction"] != "inbound"
    }


def _key(row: Mapping[str, Any]) -> Key:
    return (
        row["source_namespace"],
        row["source_workload"],
        row["host"] or row["destination_ip"],
        row["destination_port"],
    )


def _write_logs(stage: Stage, folder: Path) -> str:
    folder.mkdir(parents=True)
    for pod in stage.pods:
        lines = lines_of(pod.address, stage.before[pod.namespace].folder, (ISTIO_TEXT,))
        (folder / pod.file_name).write_text("".join(f"{line}\n" for _, (line,) in lines))
    return str(folder)


def _write_mesh(stage: Stage, file: Path) -> str:
    """What `kubectl get serviceentries,services -A -o json` would say."""
    items = [*(_entry(entry) for entry in stage.existing), *_services()]
    file.write_text(json.dumps({"kind": "List", "items": items}))
    return str(file)


def _entry(entry: ServiceEntry) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": entry.name, "namespace": entry.namespace},
        "spec": {
            "hosts": list(entry.hosts),
            "ports": [{"number": p.number, "name": p.name, "protocol": p.protocol} for p in entry.ports],
            "resolution": entry.resolution.value,
            "exportTo": list(entry.export_to),
        },
    }


def _services() -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": service.host.split(".")[0], "namespace": service.host.split(".")[1]},
            "spec": {
                "clusterIP": service.address,
                "ports": [{"port": p.number, "name": p.name, "protocol": "TCP"} for p in service.ports],
            },
        }
        for service in story.SERVICES
    ]


def _tool(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "analyzer", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
