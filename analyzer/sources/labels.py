"""What the place of a file says of the pod that wrote it, by the kubelet's and the container runtimes' own names.

`/var/log/containers/<pod>_<namespace>_<container>-<id>.log` and
`/var/log/pods/<namespace>_<pod>_<uid>/<container>/0.log`
(kubernetes/kubernetes pkg/kubelet/kuberuntime/legacy.go and kuberuntime_container.go), and
`bug-report/proxies/<namespace>/<pod>/` (istio/istio tools/bug-report/pkg/archive/archive.go). Names that only look
alike give no label: a wrong source is worse than none.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import PurePath

from analyzer.sources.workloads import workload_of

_NAME = r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?"
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_CONTAINER_LOG = re.compile(rf"(?P<pod>{_NAME})_(?P<namespace>{_LABEL})_(?P<container>{_LABEL})-[0-9a-f]{{64}}\.log.*")
_POD_FOLDER = re.compile(rf"(?P<namespace>{_LABEL})_(?P<pod>{_NAME})_[0-9a-f]{{8}}-?[0-9a-f]{{4}}[-0-9a-f]*")
_BUG_REPORT = re.compile(rf"(?:.*/)?bug-report/proxies/(?P<namespace>{_LABEL})/(?P<pod>{_NAME})/[^/]+")
PROXY_CONTAINER = "istio-proxy"
"""Sidecars, gateways, waypoints and ztunnel all run in a container of this name (istio/istio manifests/charts)."""
FOREIGN = "foreign_container"
_KEYS = ("source_namespace", "source_pod")


def labels_of_path(path: str) -> dict[str, str]:
    """The labels that a path proves, workload included; none where it proves nothing.

    A container other than the proxy's is named under `FOREIGN`: an application that writes like a proxy is none.
    """
    where = PurePath(path)
    match = _CONTAINER_LOG.fullmatch(where.name)
    container = match["container"] if match else PROXY_CONTAINER
    if match is None:
        folders = [(_POD_FOLDER.fullmatch(part), inner) for part, inner in pairwise(where.parts)]
        match, inner = next((found for found in reversed(folders) if found[0] is not None), (None, ""))
        container = inner if match and inner != where.name else PROXY_CONTAINER
    if match is None:
        match = _BUG_REPORT.fullmatch(path)
    if match is None:
        return {}
    foreign = {} if container == PROXY_CONTAINER else {FOREIGN: container}
    return completed({"source_namespace": match["namespace"], "source_pod": match["pod"], **foreign})


def completed(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels with the workload added where the pod's name shows it."""
    known = dict(labels)
    if "source_workload" not in known and "source_pod" in known:
        workload = workload_of(known["source_pod"])
        if workload is not None:
            known["source_workload"] = workload
    return known
