"""Namespace: whether sidecars are injected into its pods. Kubernetes checks the rest of it."""

from analyzer.validation.common_fields import ANY
from analyzer.validation.shape import Kind

KIND = Kind(name="Namespace", group="", versions={"v1": None}, spec=ANY)
