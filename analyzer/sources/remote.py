"""Object storage through fsspec: `s3://`, `gs://` and `az://`, each by its own extra.

Credentials, endpoints and regions come from the environment, as the clouds' own tools take them (`AWS_PROFILE`,
`AWS_ENDPOINT_URL`, `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_CONNECTION_STRING`).
"""

from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple, TypeVar

from analyzer.errors import Place, SourceError, UsageError

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}
"""The extra of the distribution that each scheme needs."""
_ENVIRONMENT = {"s3": "AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL", "gs": "GOOGLE_APPLICATION_CREDENTIALS",
                "az": "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT_NAME"}  # fmt: skip
_MAGIC = frozenset("*?[")
_READ_AHEAD = 8 << 20
T = TypeVar("T")


class Object(NamedTuple):
    """One object: its address, its size in bytes and its first bytes."""

    url: str
    size: int
    first: bytes


def is_remote(argument: str) -> bool:
    """Whether an argument is the address of an object or a prefix."""
    return argument.partition("://")[0] in EXTRAS and "://" in argument


def objects(url: str) -> list[str]:
    """The objects that an address names: one, those that match a glob, or those under a prefix, by name.

    Raises `SourceError` where they cannot be listed and `UsageError` where the extra is not installed.
    """
    scheme = url.partition("://")[0]
    system, path = _system(url)

    def listed() -> list[str]:
        if _MAGIC & set(path):
            found = system.glob(path, detail=True)
        elif system.isfile(path):
            return [path]
        else:
            found = system.find(path, detail=True) or _under_prefix(system, path)
        return sorted(name for name, about in found.items() if about.get("type") == "file" and not name.endswith("/"))

    return [f"{scheme}://{name}" for name in _told(url, listed)]


def _under_prefix(system: Any, path: str) -> dict[str, Any]:
    """What begins with the last word of a path, and what stands below that."""
    found: dict[str, Any] = {}
    for name, about in system.glob(path.rstrip("/") + "*", detail=True).items():
        found |= {name: about} if about.get("type") == "file" else system.find(name, detail=True)
    return found


def look_at(url: str, first: int) -> Object:
    """The size and the first bytes of an object. Raises `SourceError` where it cannot be read."""
    system, path = _system(url)
    size = _told(url, lambda: system.info(path)["size"])
    head = _told(url, lambda: system.cat_file(path, start=0, end=min(first, size))) if size else b""
    return Object(url, int(size), head)


def opened(url: str) -> BinaryIO:
    """An object as a file that can be read front to back, and sought in."""
    system, path = _system(url)
    file: BinaryIO = _told(url, lambda: system.open(path, "rb", block_size=_READ_AHEAD, cache_type="readahead"))
    return file


def _system(url: str) -> tuple[Any, str]:
    import fsspec

    scheme, _, path = url.partition("://")
    protocol = {"gcs": "gs", "s3a": "s3"}.get(scheme, scheme)
    try:
        return _told(url, lambda: fsspec.filesystem(protocol)), path
    except ImportError as error:
        extra = EXTRAS[scheme]
        raise UsageError(
            f"{url}: reading {scheme}:// needs one more package", hint=f"pip install 'egress-audit[{extra}]'"
        ) from error


def _told(url: str, action: Callable[[], T]) -> T:
    """Do something with a store, whose client raises errors of many kinds."""
    try:
        return action()
    except (ImportError, SourceError):
        raise
    except Exception as error:
        variables = _ENVIRONMENT[EXTRAS[url.partition("://")[0]]]
        problem = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(f"cannot be read: {problem}", Place(url), f"the store is chosen by {variables}") from error
