"""Pod: which workload an address belongs to, and the labels that selectors look at."""

import re

from analyzer.mesh.fields import Fields, common, mapping, mappings, text, text_map
from analyzer.mesh.kinds import MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.placed import NotYAML, read_yaml
from analyzer.mesh.services import Pod

_OVER = ("Succeeded", "Failed")
_PROXY_CONFIG = "proxy.istio.io/config"
_CRON_JOB_RUN = re.compile(r"(.+)-\d{8,10}")


def pod_of(document: Document) -> Pod | None:
    """A Pod document as a value, null for one that has ended: its address may be another's by now."""
    metadata, spec = mapping(document.content, "metadata"), mapping(document.content, "spec")
    status = mapping(document.content, "status")
    if text(status, "phase") in _OVER:
        return None
    known = common(document)
    addresses = [text(address, "ip") for address in mappings(status, "podIPs")] or [text(status, "podIP")]
    return Pod(
        **known,
        addresses=tuple(filter(None, addresses)),
        workload=_workload(metadata, known["labels"]),
        service_account=text(spec, "serviceAccountName"),
        host_network=spec.get("hostNetwork") is True,
        proxy_metadata=_proxy_metadata(known["annotations"].get(_PROXY_CONFIG, "")),
    )


def _workload(metadata: Fields, labels: dict[str, str]) -> str:
    """The owner's name as Istio derives it (istio/istio pkg/kube/inject/webhook.go, deployMeta of pods)."""
    owner = next((item for item in mappings(metadata, "ownerReferences") if item.get("controller") is True), None)
    if owner is None:
        return text(metadata, "name")
    kind, name = text(owner, "kind"), text(owner, "name")
    if kind == "ReplicaSet" and (suffix := f"-{labels.get('pod-template-hash', '')}") != "-":
        return name.removesuffix(suffix)
    run = _CRON_JOB_RUN.fullmatch(name) if kind == "Job" else None
    return run[1] if run else name


def _proxy_metadata(written: str) -> dict[str, str]:
    """`proxyMetadata` of the annotation; what cannot be read there, injection would have refused."""
    try:
        content = next(read_yaml(written), None)
    except NotYAML:
        return {}
    return text_map(content, "proxyMetadata") if isinstance(content, dict) else {}


KIND = MeshKind("Pod", "", "pods", pod_of)
