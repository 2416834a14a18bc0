"""Network namespaces without a name: they are gone when the test's process is, however it ends.

A namespace is held by one open file descriptor, so workers of one machine cannot collide and nothing is left to
remove. Only `ip` and `iptables` run inside it, and what a test starts there.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

_CLONE_NEWNET = 0x40000000
_TOOLS = ("ip", "iptables", "nsenter", "setpriv")
T = TypeVar("T")


class Namespace:
    """One network namespace; `run` calls a function inside it, on a thread of its own."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._in_thread(self._create)
        self.ip("link", "set", "lo", "up")

    @property
    def path(self) -> str:
        """Where other programs find the namespace."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def run(self, function: Callable[[], T]) -> T:
        """Call a function in the namespace and return what it returns."""
        return self.start(function).result()

    def start(self, function: Callable[[], T]) -> "Future[T]":
        """Call a function in the namespace and do not wait for it."""

        def inside() -> T:
            _call("setns", self._descriptor, _CLONE_NEWNET)
            return function()

        return self._in_thread(inside, wait=False)

    def ip(self, *words: str) -> None:
        """Run `ip` in the namespace."""
        self.command("ip", *words)

    def command(self, *words: str) -> None:
        """Run a program in the namespace. Raises `OSError` with its words where it fails."""
        done = subprocess.run(self.inside(words), capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")

    def inside(self, words: Sequence[str]) -> list[str]:
        """A command line that runs another one in the namespace."""
        return ["nsenter", f"--net={self.path}", "--", *words]

    def close(self) -> None:
        """Let the namespace go; the kernel removes it with the last process in it."""
        os.close(self._descriptor)

    def _create(self) -> None:
        _call("unshare", _CLONE_NEWNET)
        self._descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    @staticmethod
    def _in_thread(function: Callable[[], T], *, wait: bool = True) -> "Future[T]":
        future: Future[T] = Future()

        def work() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        if wait:
            future.result()
        return future


def join(pods: Namespace, addresses: Sequence[str], world: Namespace, gateway: str, link: str) -> None:
    """Lay a cable between the pods' namespace and the world's: everything that pods send goes to the world."""
    pods.ip("link", "add", "eth0", "type", "veth", "peer", "name", link, "netns", world.path)
    pods.ip("link", "set", "eth0", "up")
    world.ip("link", "set", link, "up")
    for address in addresses:
        pods.ip("address", "add", f"{address}/32", "dev", "eth0")
        world.ip("route", "add", f"{address}/32", "dev", link)
    pods.ip("route", "add", gateway, "dev", "eth0")
    pods.ip("route", "add", "default", "via", gateway)


def redirect_to_envoy(namespace: Namespace, proxy_group: int, port: int) -> None:
    """Send outbound TCP to the proxy, save what the proxy itself sends and what stays on loopback.

    Source: istio/istio tools/istio-iptables/pkg/capture/run.go (ISTIO_OUTPUT, ISTIO_REDIRECT).
    """
    for rule in (
        "-N ISTIO_REDIRECT",
        f"-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports {port}",
        "-N ISTIO_OUTPUT",
        f"-A ISTIO_OUTPUT -m owner --gid-owner {proxy_group} -j RETURN",
        "-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN",
        "-A ISTIO_OUTPUT -j ISTIO_REDIRECT",
        "-A OUTPUT -p tcp -j ISTIO_OUTPUT",
    ):
        namespace.command("iptables", "-w", "-t", "nat", *rule.split())


def why_not_here() -> str | None:
    """What this machine lacks for namespaces of our own, or null where it has all."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "root is needed to make network namespaces"
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if not Path("/proc/thread-self/ns/net").exists():
        return "this kernel has no network namespaces"
    try:
        namespace = Namespace()
        redirect_to_envoy(namespace, 1337, 15001)
    except OSError as error:
        return f"network namespaces cannot be made here: {error}"
    namespace.close()
    return None


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
