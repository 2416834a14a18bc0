"""DestinationRule: subsets that routes may name, and TLS that the proxy originates."""

from analyzer.mesh.fields import (
    common,
    mapping,
    mappings,
    optional_number,
    optional_text,
    selector,
    text,
    text_map,
    texts,
)
from analyzer.mesh.kinds import NETWORKING, MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.routing import DestinationRule


def destination_rule_of(document: Document) -> DestinationRule:
    """A DestinationRule document as a value. Raises `ValueError` or `TypeError` where a field has the wrong shape."""
    spec = mapping(document.content, "spec")
    policy = mapping(spec, "trafficPolicy")
    ports = {
        optional_number(mapping(settings, "port"), "number"): optional_text(mapping(settings, "tls"), "mode")
        for settings in mappings(policy, "portLevelSettings")
    }
    return DestinationRule(
        **common(document),
        host=text(spec, "host"),
        subsets={text(subset, "name"): text_map(subset, "labels") for subset in mappings(spec, "subsets")},
        export_to=texts(spec, "exportTo"),
        tls_mode=optional_text(mapping(policy, "tls"), "mode"),
        port_tls_modes={number: mode for number, mode in ports.items() if number is not None and mode is not None},
        workload_selector=selector(spec, "workloadSelector", "matchLabels"),
    )


KIND = MeshKind("DestinationRule", NETWORKING, "destination_rules", destination_rule_of)
