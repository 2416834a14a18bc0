"""Servers of this machine that speak as the clouds' object stores do, filled with objects.

Each is found by the environment that the cloud's own tools use, and says why where it cannot be started.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from azure.storage.blob import BlobServiceClient
from gcp_storage_emulator.server import create_server
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from moto.server import ThreadedMotoServer

BUCKET = "logs"
_AZURITE = Path(__file__).parents[2] / "node_modules" / ".bin" / "azurite-blob"
"""Where `npm install` in the project's folder puts it."""
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that every Azurite knows (Azure/Azurite README.md, Default Storage Account)."""
_STARTS_WITHIN = 60


@contextmanager
def s3(objects: Mapping[str, bytes], patch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3-compatible server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.delenv("AWS_PROFILE", raising=False)
    store: Any = boto3.client("s3")
    store.create_bucket(Bucket=BUCKET)
    for name, content in objects.items():
        store.put_object(Bucket=BUCKET, Key=name, Body=content)
    yield f"s3://{BUCKET}"
    server.stop()


@contextmanager
def gs(objects: Mapping[str, bytes], patch: pytest.MonkeyPatch) -> Iterator[str]:
    """An emulator of Google Cloud Storage."""
    port = _free_port()
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=BUCKET)
    server.start()
    patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    patch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    bucket = storage.Client(project="test", credentials=AnonymousCredentials()).bucket(BUCKET)  # type: ignore[no-untyped-call]
    for name, content in objects.items():
        bucket.blob(name).upload_from_string(content)
    yield f"gs://{BUCKET}"
    server.stop()


@contextmanager
def az(objects: Mapping[str, bytes], patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Azurite, Microsoft's emulator of Azure's storage."""
    program = str(_AZURITE) if _AZURITE.exists() else shutil.which("azurite-blob")
    if program is None:
        pytest.skip("no Azurite: `npm install --no-save azurite`")
    port = _free_port()
    arguments = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--silent"]
    server = subprocess.Popen([program, *arguments, "--skipApiVersionCheck", "--disableTelemetry"])
    try:
        _wait_for(port, server)
        known = f"AccountName={_ACCOUNT};AccountKey={_KEY};BlobEndpoint=http://127.0.0.1:{port}/{_ACCOUNT}"
        patch.setenv("AZURE_STORAGE_CONNECTION_STRING", f"DefaultEndpointsProtocol=http;{known};")
        with BlobServiceClient.from_connection_string(f"DefaultEndpointsProtocol=http;{known};") as store:
            container = store.create_container(BUCKET)
            for name, content in objects.items():
                container.upload_blob(name, content)
        yield f"az://{BUCKET}"
    finally:
        server.terminate()
        server.wait()


STORES = {"s3": s3, "gs": gs, "az": az}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(_STARTS_WITHIN * 10):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"Azurite does not listen on port {port}")
