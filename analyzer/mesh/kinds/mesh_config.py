"""The ConfigMap `istio` (or `istio-<revision>`): what holds for the whole mesh."""

from typing import Any

from analyzer.mesh.fields import Fields, common, mapping, mappings, optional_text, text, text_map, texts, word
from analyzer.mesh.kinds import MeshKind
from analyzer.mesh.objects import Document
from analyzer.mesh.parts import outbound_policy_of
from analyzer.mesh.placed import NotYAML, read_yaml
from analyzer.mesh.scoping import LabelSelector, MeshConfig, OutboundPolicy, Visibility, VisibilityPolicy
from analyzer.vocabulary import Mode


def mesh_config_of(document: Document) -> MeshConfig | None:
    """The mesh configuration, null for a ConfigMap that is about something else.

    Raises `ValueError` or `TypeError` where the text in it is not YAML or a field has the wrong shape.
    """
    written = mapping(document.content, "data").get("mesh")
    if not isinstance(written, str) or not (document.name == "istio" or document.name.startswith("istio-")):
        return None
    config = _yaml(written)
    visibility = mapping(config, "serviceEntryVisibility")
    return MeshConfig(
        **common(document),
        root_namespace=text(config, "rootNamespace") or document.namespace,
        outbound_policy=_policy(config),
        service_export_to=texts(config, "defaultServiceExportTo"),
        virtual_service_export_to=texts(config, "defaultVirtualServiceExportTo"),
        destination_rule_export_to=texts(config, "defaultDestinationRuleExportTo"),
        proxy_metadata=text_map(mapping(config, "defaultConfig"), "proxyMetadata"),
        access_log_file=text(config, "accessLogFile"),
        access_log_format=optional_text(config, "accessLogFormat") or None,
        access_log_encoding=text(config, "accessLogEncoding") or "TEXT",
        trust_domain=text(config, "trustDomain") or "cluster.local",
        default_visibility=_visibility(visibility, "defaultVisibility"),
        visibility_policies=tuple(_visibility_policy(policy) for policy in mappings(visibility, "policies")),
        visibility_applies_to_sidecars=visibility.get("applyToSidecars") is True,
    )


def _yaml(written: str) -> Fields:
    try:
        content = next(read_yaml(written), None)
    except NotYAML as error:
        raise ValueError(f"data.mesh is not YAML: {error.problem}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise TypeError("data.mesh must hold a mapping")
    return content


def _policy(config: Fields) -> OutboundPolicy:
    """ALLOW_ANY where nothing is said; an empty `outboundTrafficPolicy` is REGISTRY_ONLY."""
    return outbound_policy_of(config) or OutboundPolicy(Mode.ALLOW_ANY)


def _visibility(content: Fields, key: str) -> Visibility:
    """The API's `VISIBILITY_UNSPECIFIED` is its old behaviour."""
    value: Any = content.get(key)
    return Visibility(value) if value in list(Visibility) else word({}, key, Visibility, Visibility.PUBLIC)


def _visibility_policy(policy: Fields) -> VisibilityPolicy:
    rules = mappings(policy, "matchingRules")
    return VisibilityPolicy(_visibility(policy, "visibility"), tuple(_selector(rule) for rule in rules))


def _selector(rule: Fields) -> LabelSelector | None:
    if rule.get("namespaceSelector") is None:
        return None
    selector = mapping(rule, "namespaceSelector")
    return LabelSelector(
        text_map(selector, "matchLabels"),
        tuple(
            (text(item, "key"), text(item, "operator"), texts(item, "values"))
            for item in mappings(selector, "matchExpressions")
        ),
    )


KIND = MeshKind("ConfigMap", "", "mesh_configs", mesh_config_of)
