"""Pod: what its annotations say to its proxy. Kubernetes checks the rest of it."""

from analyzer.validation.common_fields import ANY
from analyzer.validation.shape import Kind

KIND = Kind(name="Pod", group="", versions={"v1": None}, spec=ANY)
