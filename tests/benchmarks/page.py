"""How heavy the page is, and how long a browser's main thread works to open it.

`python -m tests.benchmarks.page [DESTINATIONS] [TIMES]` writes logs of that many destinations (5,000), audits them and
opens the report in a headless Chromium, each time in a new one (5 times). The quickest counts: what else the machine
does only ever adds. Seconds are the browser's own figures (CDP `Performance.getMetrics`), read two seconds after the
last chart was drawn; `--page FILE` measures a page that is there already.
"""

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.report import write_report
from analyzer.settings import Settings
from analyzer.vocabulary import NEWEST_ISTIO
from tests.lines import BLOCKED_HTTP, BLOCKED_TCP, HTTP, TCP, text

NAMESPACES, WORKLOADS_OF_EACH = 40, 10
START = datetime(2026, 3, 2, tzinfo=UTC)
AGENTS = ("python-requests/2.32.3", "Go-http-client/1.1", "curl/8.5.0", "okhttp/4.12.0", "Java/17.0.9 (acme, eu-1)")
METRICS = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "V8CompileDuration")
DRAWN = "return [...document.querySelectorAll('.figure')].every(figure => figure.querySelector('.main-svg'))"


def lines_of(number: int, dice: random.Random) -> Iterator[str]:
    """What one workload wrote about one destination: names by HTTP and TLS, addresses by TCP; a third is refused."""
    host = f"{('api', 'www', 'cdn', 'eu-1.api')[number % 4]}.vendor{number // 3}.{('com', 'io', 'net')[number % 3]}"
    address = f"203.0.{number >> 8 & 255}.{number & 255}"
    kind, refused = dice.choice(("tls", "tls", "tls", "http", "http", "tcp")), dice.random() < 0.3
    port = {"tls": 443, "http": 80, "tcp": 5432}[kind]
    for _ in range(dice.randint(3, 12)):
        moment = START + timedelta(seconds=dice.randrange(14 * 86_400))
        where = {
            "start_time": f"{moment:%Y-%m-%dT%H:%M:%S}.{dice.randrange(1000):03d}Z",
            "downstream_local_address": f"{address}:{port}",
            "downstream_remote_address": f"10.1.{number % 250}.{dice.randint(1, 3)}:{dice.randint(32768, 60000)}",
            "bytes_received": dice.randrange(5_000),
            "bytes_sent": dice.randrange(500_000),
        }
        left = {"upstream_cluster": "PassthroughCluster", "upstream_host": f"{address}:{port}"}
        if kind == "http":
            base = BLOCKED_HTTP if refused else HTTP | left | {"route_name": "allow_any"}
            yield text(base, authority=host, user_agent=dice.choice(AGENTS), **where)
        else:
            base = BLOCKED_TCP if refused else TCP | left
            yield text(base, requested_server_name=host if kind == "tls" else None, **where)


def write_logs(folder: Path, destinations: int) -> None:
    """One file for each pod, named as the kubelet names it; workloads call what others call too."""
    dice = random.Random(1)
    for place in range(NAMESPACES * WORKLOADS_OF_EACH):
        namespace, workload = f"team-{place % NAMESPACES}", f"service-{place // NAMESPACES}"
        own = range(place, destinations, NAMESPACES * WORKLOADS_OF_EACH)
        written = [line for number in own for line in lines_of(number, dice)]
        file = folder / f"{workload}-5b8c7d6f49-m4v9t_{namespace}_istio-proxy-{place:064x}.log"
        file.write_text("".join(f"{line}\n" for line in written))


def write_page(folder: Path, destinations: int) -> Path:
    """The report of such logs."""
    (folder / "logs").mkdir()
    write_logs(folder / "logs", destinations)
    ingest([str(folder / "logs")], str(folder / "lake"))
    result = audit(str(folder / "lake"), settings=Settings(), istio_version=NEWEST_ISTIO)
    print(f"{len(result.judged):,} destinations, {len(result.proposals.proposed):,} manifests")
    return write_report(result, folder / "report.html")


def opened(page: Path) -> dict[str, float]:
    """The browser's figures for opening a page, in seconds."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--window-size=1280,1000", f"--user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
        try:
            driver.execute_cdp_cmd("Performance.enable", {})
            driver.get(page.as_uri())
            WebDriverWait(driver, 60, 0.5).until(lambda browser: browser.execute_script(DRAWN))
            time.sleep(2)
            found = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        finally:
            driver.quit()
    return {metric["name"]: metric["value"] for metric in found if metric["name"] in METRICS}


def measure(page: Path, times: int) -> None:
    """Print the page's weight, and for each figure the best of some openings and the median."""
    print(f"{page.stat().st_size / 1e6:.2f} MB")
    runs = [opened(page) for _ in range(times)]
    for name in METRICS:
        values = sorted(run[name] for run in runs if name in run)
        if values:
            print(f"{name:20} {values[0]:.2f} s at best, {values[len(values) // 2]:.2f} s in the middle")


def main() -> None:
    """Make a page, or take one, and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("destinations", type=int, nargs="?", default=5_000)
    parser.add_argument("times", type=int, nargs="?", default=5)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(options.page or write_page(Path(folder), options.destinations), options.times)


if __name__ == "__main__":
    main()
