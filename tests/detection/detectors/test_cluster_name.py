"""Names inside the cluster."""

import pytest

from tests.detection.building import destination, verdict

_INSIDE = [
    "reviews.shop.svc.cluster.local",
    "reviews.shop.svc",
    "outbound_.80_._.svc",
    "pod-1.reviews.shop.svc.cluster.local",
    "reviews.shop.svc.clusterset.local",
    "reviews",
    "app.localhost",
    "reviews.istioinaction",
    "kubernetes.default",
]


@pytest.mark.parametrize("host", _INSIDE)
def test_a_name_of_the_cluster_is_internal(host: str) -> None:
    assert verdict(destination(host, "http", namespace="istioinaction")) == ("internal", "cluster_name")


@pytest.mark.parametrize("host", ["a.b.svc.example.com", "cluster.local.example.com", "notcluster.local.net"])
def test_a_public_name_that_only_looks_alike_is_not_internal(host: str) -> None:
    assert verdict(destination(host, "http"))[0] == "legitimate"


def test_a_namespace_that_is_also_a_top_level_domain_hides_no_public_host() -> None:
    assert verdict(destination("partner.dev", namespace="dev"))[0] == "legitimate"


def test_in_mesh_traffic_is_internal_whatever_its_name() -> None:
    assert verdict(destination("www.partner.example", "http", classes={"in_mesh": 3}))[0] == "internal"


def test_a_cluster_domain_of_the_settings_is_internal() -> None:
    networks = {"cluster_domains": ["k8s.corp.example"]}

    assert verdict(destination("a.b.svc.k8s.corp.example"), networks=networks)[0] == "internal"
