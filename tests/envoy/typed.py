"""Envoy's way of naming what a piece of configuration is."""

from typing import Any

Json = dict[str, Any]


def typed(name: str, message: str, **fields: Any) -> Json:
    """An extension: its name and its typed configuration (`message` below `type.googleapis.com/envoy.`)."""
    return {"name": name, "typed_config": {"@type": f"type.googleapis.com/envoy.{message}", **fields}}


def socket_address(address: str, port: int) -> Json:
    """A TCP address."""
    return {"socket_address": {"address": address, "port_value": port}}


def http_filters() -> list[Json]:
    """Those of Istio's HTTP filters that Envoy has without Istio: none of them writes to a field of the log."""
    names = {"grpc_stats": "FilterConfig", "fault": "HTTPFault", "cors": "Cors", "router": "Router"}
    return [
        typed(f"envoy.filters.http.{name}", f"extensions.filters.http.{name}.v3.{message}")
        for name, message in names.items()
    ]
