"""Envoy's way of naming what a piece of configuration is."""

from typing import Any

Json = dict[str, Any]


def typed(name: str, message: str, **fields: Any) -> Json:
    """An extension: its name and its typed configuration (`message` below `type.googleapis.com/envoy.`)."""
    return {"name": name, "typed_config": {"@type": f"type.googleapis.com/envoy.{message}", **fields}}


def socket_address(address: str, port: int) -> Json:
    """A TCP address."""
    return {"socket_address": {"address": address, "port_value": port}}
