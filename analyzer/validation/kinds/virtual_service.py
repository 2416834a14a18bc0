"""VirtualService (istio/api networking/v1alpha3/virtual_service.proto); what only shapes HTTP is not looked into."""

from typing import Any

from analyzer.validation.common_fields import ANY, DESTINATION, LABELS, NETWORKING_VERSIONS, NUMBER, TEXT, TEXTS
from analyzer.validation.shape import Kind

_HTTP_FIELDS = ("redirect", "directResponse", "delegate", "rewrite", "timeout", "retries", "fault", "headers")
_HTTP_COPIES = ("mirror", "mirrorPercent", "mirrorPercentage", "mirrors", "corsPolicy")
_HTTP_MATCHES = ("uri", "scheme", "method", "authority", "headers", "ignoreUriCase", "queryParams", "withoutHeaders")
_HTTP_REST = ("statPrefix", "sourceCidr")
_MATCH: dict[str, Any] = {"port": NUMBER, "sourceLabels": LABELS, "gateways": TEXTS, "sourceNamespace": TEXT}
_HTTP_MATCH: dict[str, Any] = {"name": TEXT, **_MATCH, **dict.fromkeys((*_HTTP_MATCHES, *_HTTP_REST), ANY)}
_ROUTE: dict[str, Any] = {"destination": DESTINATION, "weight": NUMBER}

KIND = Kind(
    name="VirtualService",
    group="networking.istio.io",
    versions=NETWORKING_VERSIONS,
    spec={
        "hosts": TEXTS,
        "gateways": TEXTS,
        "http": [
            {
                "name": TEXT,
                "match": [_HTTP_MATCH],
                "route": [{**_ROUTE, "headers": ANY}],
                **dict.fromkeys((*_HTTP_FIELDS, *_HTTP_COPIES), ANY),
            }
        ],
        "tls": [{"match": [{"sniHosts": TEXTS, "destinationSubnets": TEXTS, **_MATCH}], "route": [_ROUTE]}],
        "tcp": [{"match": [{"destinationSubnets": TEXTS, "sourceSubnet": TEXT, **_MATCH}], "route": [_ROUTE]}],
        "exportTo": TEXTS,
    },
)
