"""What is built once for all namespaces is what each of them would have built by itself."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.evidence import Request
from analyzer.mesh.model import Mesh
from analyzer.mesh.scoping import OutboundPolicy, Sidecar
from analyzer.simulation.deciding import Deciding, Policy
from analyzer.simulation.owners import Owners
from analyzer.simulation.registry import Order, Registry
from analyzer.simulation.replay import Decision
from analyzer.simulation.routes import Client
from analyzer.simulation.scope import Scope
from analyzer.simulation.versions import version_of
from analyzer.vocabulary import Mode
from tests.simulation.anything import VERSIONS, any_mesh, any_requests
from tests.simulation.building import mesh_in

NOBODY = Client("nobody")


@given(st.randoms(use_true_random=True), st.sampled_from(VERSIONS), st.booleans(), st.sampled_from(list(Mode)))
def test_a_scope_over_what_everybody_sees_decides_as_one_that_was_built_alone(
    random: Random, version: str, forward: bool, mode: Mode
) -> None:
    mesh = any_mesh(random)
    registry = Registry(mesh, version_of(version), Order(forward=forward), captures_dns=random.random() < 0.2)
    everybody = Scope(registry, NOBODY)
    sidecars: tuple[Sidecar | None, ...] = (None, *mesh.sidecars)

    for request in any_requests(random, 40):
        client = Client(request.key.source_namespace or "")
        for sidecar in sidecars:
            over, alone = Scope(registry, client, sidecar, everybody), Scope(registry, client, sidecar)

            assert decided(over, request, mesh, mode) == decided(alone, request, mesh, mode)
            number = request.destination_port or 0
            assert over.rests_on_order(number) is alone.rests_on_order(number)


def decided(scope: Scope, request: Request, mesh: Mesh, mode: Mode) -> Decision:
    policy = Policy(*scope.policy(OutboundPolicy(mode), override=False))
    return Deciding(request, request.destination_ip, scope, policy, Owners(mesh)).decide()


@pytest.mark.parametrize(
    ("entries", "number", "is_shared"),
    [
        (["a.example.com:443/TLS", "b.example.com:443/TLS exp app"], 443, True),
        (["a.example.com:443/TLS", "a.example.com:443/TLS exp app"], 443, False),
        (["a.example.com:443/TLS,80/HTTP", "a.example.com:443/TLS exp app", "c.example.com:5432/TCP"], 5432, True),
        (["a.example.com:9000/TCP", "b.example.com:9000/TCP exp app"], 9000, False),
        (["a.example.com:3306/MYSQL", "b.example.com:3306/MYSQL addr 192.0.2.1 exp app"], 3306, True),
        (["a.example.com:3306/MYSQL", "b.example.com:3306/TCP exp app"], 3306, False),
    ],
)
def test_a_port_is_shared_where_nothing_private_meets_what_is_public(
    entries: list[str], number: int, is_shared: bool
) -> None:
    registry = Registry(mesh_in({"entries": entries}), (1, 31), Order(forward=True), captures_dns=False)
    everybody = Scope(registry, NOBODY)
    public = everybody.port(number).wildcard
    assert public is not None

    listener = Scope(registry, Client("app"), None, everybody).port(number).wildcard

    assert listener is not None
    seen, shared = ([*group.by_name, group.rest] for group in (listener.group_for(None), public.group_for(None)))
    assert all(any(item is other for item in seen) for other in shared) is is_shared
