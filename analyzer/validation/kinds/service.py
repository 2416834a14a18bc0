"""Service: how its ports are named, which is what the proxies take them for. Kubernetes checks the rest of it."""

from analyzer.validation.common_fields import ANY
from analyzer.validation.shape import Kind

KIND = Kind(name="Service", group="", versions={"v1": None}, spec=ANY)
