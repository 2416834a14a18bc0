"""Cloud metadata services: they hand out credentials to whoever asks from inside."""

from collections.abc import Iterator

from analyzer.classification.names import name_of_authority
from analyzer.detection.detector import Context
from analyzer.detection.texts import shown
from analyzer.evidence import Destination, Reason
from analyzer.settings import Networks, plain_address
from analyzer.vocabulary import Verdict


class CloudMetadata:
    """By address or by name; addresses as AWS, Azure, GCP and Alibaba document them."""

    name = "cloud_metadata"
    verdict = Verdict.DENIED
    position = 20
    summary = "The destination is a cloud's metadata service."

    def examine(self, destination: Destination, context: Context) -> Reason | None:
        """Compare the name, every address dialled and every address in a Host header with the known ones."""
        networks = context.settings.networks
        found = next((address for address in _addresses(destination) if _is_metadata(address, networks)), None)
        if found is None and _is_metadata_name(destination.key.host, networks):
            found = destination.key.host
        if found is None:
            return None
        return Reason(
            self.name,
            f"{shown(found)} is a cloud metadata service; it hands out credentials: "
            "give the workload an identity of its own instead.",
        )


def _addresses(destination: Destination) -> Iterator[str]:
    if destination.key.destination_ip is not None:
        yield destination.key.destination_ip
    yield from destination.dialled
    for request in destination.requests:
        literal = name_of_authority(request.authority).literal if request.authority else None
        if literal is not None:
            yield literal


def _is_metadata(address: str, networks: Networks) -> bool:
    plain = plain_address(address)
    return plain is not None and str(plain) in networks.metadata_addresses


def _is_metadata_name(host: str | None, networks: Networks) -> bool:
    return host is not None and any(host == name or host.endswith(f".{name}") for name in networks.metadata_hosts)


DETECTOR = CloudMetadata()
