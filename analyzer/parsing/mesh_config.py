"""Take the access-log formats out of a mesh's own configuration.

A file may be the `istio` ConfigMap, a MeshConfig, an IstioOperator or Helm values with one inside, and Telemetry
resources, several in one file and in lists. A Telemetry resource only names providers: their formats stand in
`extensionProviders`. Sources: istio/api mesh/v1alpha1/config.proto (accessLogFile, accessLogFormat,
accessLogEncoding, extensionProviders), istio/istio pilot/pkg/model/telemetry_logging.go (defaults).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyzer.errors import TRY_READING, Place, UsageError
from analyzer.parsing.choosing import format_of
from analyzer.parsing.custom_json import CustomJson
from analyzer.parsing.custom_text import CustomText
from analyzer.parsing.log_format import LogFormat, known_formats

_BUILT_IN = ("envoy",)
"""Providers that need no definition and write what MeshConfig says."""
_FILES = ("envoyFileAccessLog", "envoyOtelAls")
_MESH_KEYS = frozenset(("accessLogFile", "accessLogFormat", "accessLogEncoding", "extensionProviders"))
_DEFAULT = None
"""The format of an Istio that was told none."""


def formats_of_mesh(paths: Sequence[str | Path]) -> list[LogFormat]:
    """The formats that configuration files tell of, a mesh's own first; Istio's defaults where one leaves it at that.

    Raises `UsageError` for a file that cannot be read, that says nothing of access logs, or that names a provider
    whose definition none of the files holds.
    """
    written: list[str | None] = []
    providers: dict[str, list[str | None]] = {}
    named: dict[str, str] = {}
    for path in paths:
        found = list(_documents(path))
        meshes = [mesh for document in found for mesh in _meshes(document)]
        for mesh in meshes:
            written += _of_mesh(mesh)
            providers |= _of_providers(mesh)
        for document in found:
            named |= dict.fromkeys(_named_providers(document), str(path))
        if not meshes and not named:
            raise UsageError(
                f"{path}: nothing here says how access logs are written",
                hint="give the `istio` ConfigMap (`kubectl -n istio-system get configmap istio -o yaml`)",
            )
    for name, path in named.items():
        if name not in providers and name not in _BUILT_IN:
            raise UsageError(
                f"{path}: no file defines the provider {name!r}",
                hint="its format stands under `extensionProviders` of the `istio` ConfigMap: give that file as well",
            )
    everything = [*written, *(format_string for name in sorted(providers) for format_string in providers[name])]
    return _formats(everything or [_DEFAULT])


def _formats(written: Sequence[str | None]) -> list[LogFormat]:
    """Formats of the strings, each once and each with a name of its own; the known ones where one is the default."""
    formats: list[LogFormat] = []
    for format_string in dict.fromkeys(text for text in written if text is not None):
        log_format = format_of(format_string)
        number = 1 + sum(log_format.name == other.name.partition("#")[0] for other in formats)
        if number > 1 and isinstance(log_format, (CustomText, CustomJson)):
            log_format = replace(log_format, name=f"{log_format.name}#{number}")
        formats += [] if log_format in formats else [log_format]
    defaults = known_formats().values() if _DEFAULT in written else ()
    return formats + [log_format for log_format in defaults if log_format not in formats]


def _documents(path: str | Path) -> Iterator[Mapping[str, Any]]:
    """The documents of a YAML (or JSON) file, those in lists too."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        documents = list(YAML(typ="safe", pure=True).load_all(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(
            f"cannot read the mesh's configuration: {error.strerror}", Place(str(path)), TRY_READING
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise UsageError(
            "the mesh's configuration is no YAML", Place(str(path)), str(error).split("\n", 1)[0]
        ) from error
    for document in documents:
        if not isinstance(document, dict):
            continue
        items = document.get("items") if str(document.get("kind", "")).endswith("List") else None
        yield from (item for item in items if isinstance(item, dict)) if isinstance(items, list) else [document]


def _meshes(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every MeshConfig in a document."""
    from ruamel.yaml import YAML

    data, spec = document.get("data"), document.get("spec")
    if document.get("kind") == "ConfigMap" and isinstance(data, dict) and isinstance(data.get("mesh"), str):
        inner = YAML(typ="safe", pure=True).load(data["mesh"])
        yield from [inner] if isinstance(inner, dict) else []
    for holder in (document, spec):
        if isinstance(holder, dict) and isinstance(holder.get("meshConfig"), dict):
            yield holder["meshConfig"]
    if _MESH_KEYS & document.keys():
        yield document


def _of_mesh(mesh: Mapping[str, Any]) -> list[str | None]:
    """What MeshConfig itself says, where it says that access logs are written at all."""
    if not mesh.get("accessLogFile") and not mesh.get("accessLogFormat"):
        return []
    text = mesh.get("accessLogFormat")
    return [text if isinstance(text, str) and text.strip() else _DEFAULT]


def _of_providers(mesh: Mapping[str, Any]) -> dict[str, list[str | None]]:
    """The formats of each provider that writes access logs as text or JSON."""
    found: dict[str, list[str | None]] = {}
    for provider in mesh.get("extensionProviders") or ():
        if not isinstance(provider, dict) or not isinstance(provider.get("name"), str):
            continue
        found[provider["name"]] = []
        for kind in _FILES:
            settings = provider.get(kind)
            if isinstance(settings, dict):
                found[provider["name"]] = _of_log_format(settings.get("logFormat"))
    return found


def _of_log_format(log_format: Any) -> list[str | None]:
    if not isinstance(log_format, dict):
        return [_DEFAULT]
    text, labels = log_format.get("text"), log_format.get("labels")
    written: list[str | None] = []
    if isinstance(text, str) and text.strip():
        written.append(text)
    if isinstance(labels, dict) and labels:
        written.append(json.dumps(labels))
    return written or [_DEFAULT]


def _named_providers(document: Mapping[str, Any]) -> Iterator[str]:
    """The providers that a Telemetry resource sends access logs to."""
    spec = document.get("spec")
    if document.get("kind") != "Telemetry" or not isinstance(spec, dict):
        return
    for logging in spec.get("accessLogging") or ():
        for provider in (logging or {}).get("providers") or ():
            if isinstance(provider, dict) and isinstance(provider.get("name"), str):
                yield provider["name"]
