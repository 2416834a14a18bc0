"""The page in a real browser: it opens, filters, copies, and asks nobody for anything."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.golden import run

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("page")
    run(out)
    return out / "report.html"


@pytest.fixture
def browser(page: Path, tmp_path: Path) -> Iterator[webdriver.Chrome]:
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
    yield driver
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


def test_a_manifest_is_copied_to_the_letter(browser: webdriver.Chrome, page: Path) -> None:
    browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    article = next(a for a in browser.find_elements(By.CSS_SELECTOR, ".manifest") if "jsonplaceholder" in a.text)
    button = article.find_element(By.CSS_SELECTOR, ".copy")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    WebDriverWait(browser, 5).until(lambda _: button.text == "Copied")

    copied = browser.execute_async_script("navigator.clipboard.readText().then(arguments[0], () => arguments[0](null))")
    if copied is None:
        copied = article.find_element(By.CSS_SELECTOR, "pre code").get_property("textContent")
    assert copied == (page.parent / "manifests" / "istioinaction" / "jsonplaceholder-typicode-com.yaml").read_text()


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


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out_sideways(browser: webdriver.Chrome, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
