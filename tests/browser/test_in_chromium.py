"""The page in a real browser: it opens, filters, copies, and asks nobody for anything."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.mesh import load_mesh
from analyzer.report import write_report
from analyzer.settings import Settings
from analyzer.vocabulary import NEWEST_ISTIO
from tests.golden import run
from tests.lines import BLOCKED_HTTP, text

ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: shop}
spec:
  hosts: [api.example.com]   # of everybody
  exportTo: ["."]
  ports:
  - {number: 443, name: tls, protocol: TLS}
  resolution: DNS
"""
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("page")
    run(out)
    return out / "report.html"


@pytest.fixture
def browser(page: Path, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with opened(page, tmp_path) as driver:
        yield driver


@contextmanager
def opened(page: Path, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,1000",
        f"--user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get(page.as_uri())
    WebDriverWait(driver, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "#figure-timeline .main-svg"))
    try:
        yield driver
    finally:
        driver.quit()


def rows(browser: webdriver.Chrome) -> list[str]:
    return [row.text for row in browser.find_elements(By.CSS_SELECTOR, "#destinations-table tbody tr.row")]


def test_it_opens_without_a_complaint_and_without_a_request(browser: webdriver.Chrome) -> None:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    requests = [s["request"]["url"] for s in sent if s["documentURL"].startswith("file:")]

    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [browser.current_url]


def test_the_table_is_filtered_by_words_and_by_verdict(browser: webdriver.Chrome) -> None:
    browser.find_element(By.ID, "search").send_keys("jsonplaceholder forum")
    found = rows(browser)
    browser.find_element(By.ID, "search").clear()
    browser.find_element(By.ID, "search").send_keys(" ")
    Select(browser.find_element(By.ID, "by-verdict")).select_by_value("denied")

    assert (len(found), "jsonplaceholder.typicode.com:80" in found[0]) == (1, True)
    assert [row.split()[0] for row in rows(browser)] == ["169.254.169.254:80"]


def test_the_table_is_sorted_by_a_click_on_its_head(browser: webdriver.Chrome) -> None:
    heads = browser.find_elements(By.CSS_SELECTOR, "#destinations-table thead th button")

    heads[0].click()

    names = [row.split()[0] for row in rows(browser)]
    assert names == sorted(names)


def test_a_row_opens_to_its_evidence(browser: webdriver.Chrome) -> None:
    browser.find_element(By.ID, "search").send_keys("raw.githubusercontent.com")
    browser.find_element(By.CSS_SELECTOR, "#destinations-table .open").click()

    assert "valid_host" in browser.find_element(By.CSS_SELECTOR, "tr.detail").text


def test_the_table_is_filtered_by_cause_and_a_row_says_what_would_mend_it(browser: webdriver.Chrome) -> None:
    Select(browser.find_element(By.ID, "by-cause")).select_by_value("upstream_failure")
    (found,) = rows(browser)
    browser.find_element(By.CSS_SELECTOR, "#destinations-table .open").click()

    opened = browser.find_element(By.CSS_SELECTOR, "tr.detail").text
    assert found.startswith("old.search-cloud.example:443")
    assert "smallest change Add an entry for old.search-cloud.example with port 443 TLS." in opened.replace("\n", " ")


def copied_from(browser: webdriver.Chrome, within: WebElement) -> str:
    browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    button = within.find_element(By.CSS_SELECTOR, ".copy")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    WebDriverWait(browser, 5).until(lambda _: button.text == "Copied")
    copied = browser.execute_async_script("navigator.clipboard.readText().then(arguments[0], () => arguments[0](null))")
    return within.find_element(By.CSS_SELECTOR, "pre code").get_property("textContent") if copied is None else copied


def test_a_manifest_is_copied_to_the_letter(browser: webdriver.Chrome, page: Path) -> None:
    article = next(a for a in browser.find_elements(By.CSS_SELECTOR, ".manifest") if "jsonplaceholder" in a.text)

    expected = page.parent / "manifests" / "istioinaction" / "jsonplaceholder-typicode-com.yaml"
    assert copied_from(browser, article) == expected.read_text()


def test_an_edit_is_shown_as_its_patch_and_companions_are_copied_too(tmp_path: Path) -> None:
    lake, mesh = str(tmp_path / "lake"), tmp_path / "mesh.yaml"
    mesh.write_text(ENTRY)
    (tmp_path / "a.log").write_text("\n".join([text(BLOCKED_HTTP)] * 5) + "\n")
    ingest([str(tmp_path / "a.log")], lake, labels={"source_namespace": "shop"})
    asked = Settings.model_validate({"proposals": {"companions": ["sidecar"]}})
    found = audit(lake, settings=asked, mesh=load_mesh([str(mesh)])[0], istio_version=NEWEST_ISTIO)

    with opened(write_report(found, tmp_path / "report.html"), tmp_path) as browser:
        article = browser.find_element(By.CSS_SELECTOR, ".manifest")
        added = [line.text for line in article.find_elements(By.CSS_SELECTOR, ".added")]
        patch = copied_from(browser, article)
        companion = browser.find_element(By.CSS_SELECTOR, "#companions .listing")
        companion.find_element(By.TAG_NAME, "summary").click()
        sidecar = copied_from(browser, companion)

    assert added == ["+  - {number: 80, name: http, protocol: HTTP}"]
    assert patch == found.proposals.proposed[0].diff
    assert sidecar == found.companions.files[0].text


def test_dark_and_light_take_turns(browser: webdriver.Chrome) -> None:
    def ground() -> str:
        return browser.execute_script("return getComputedStyle(document.body).backgroundColor")

    before = ground()
    browser.find_element(By.ID, "theme").click()

    assert ground() != before


def test_a_dark_page_is_printed_dark_on_white(browser: webdriver.Chrome) -> None:
    def colours() -> list[str]:
        of = "getComputedStyle(document.querySelector(arguments[0])).getPropertyValue(arguments[1])"
        parts = ((".xtick text", "fill"), ("#flows .name", "color"), (".fact", "background-color"))
        return [browser.execute_script(f"return {of}", *part) for part in parts]

    printed = {"media": "print"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", printed)
    light = colours()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    browser.find_element(By.ID, "theme").click()
    dark = colours()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", printed)

    assert all(on_paper == on_screen for on_paper, on_screen in zip(colours(), light, strict=True))
    assert all(on_paper != on_screen for on_paper, on_screen in zip(colours(), dark, strict=True))


def test_everything_fits_on_paper(browser: webdriver.Chrome) -> None:
    """Letter is 720 pixels wide between margins of half an inch, A4 a little less."""
    paper = {"width": 700, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", paper)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")

    inside = "const parts = [...document.querySelectorAll('table, svg, pre, .fact, .remark')]"
    assert (
        browser.execute_script(f"{inside}; return Math.max(...parts.map(p => p.getBoundingClientRect().right))") <= 700
    )


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out_sideways(browser: webdriver.Chrome, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
