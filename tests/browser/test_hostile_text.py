"""Hostile text on the page in a real browser: nothing runs, nothing becomes markup, nobody is asked for anything."""

import json
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from analyzer.execution.auditing import audit
from analyzer.execution.local import ingest
from analyzer.report import write_report
from analyzer.settings import Settings
from tests.hostile.texts import HTML, hostile_log

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    folder = tmp_path_factory.mktemp("hostile")
    labels = {"source_namespace": "shop", "source_workload": HTML[1]}
    ingest([str(hostile_log(folder))], str(folder / "lake"), labels=labels)
    page = folder / "report.html"
    write_report(audit(str(folder / "lake"), settings=Settings(), istio_version="1.31"), page)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder}/profile",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.set_capability("unhandledPromptBehavior", "ignore")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get(page.as_uri())
    WebDriverWait(driver, 30).until(lambda d: d.find_elements(By.CSS_SELECTOR, "#destinations-table tbody tr.row"))
    for button in driver.find_elements(By.CSS_SELECTOR, "#destinations-table .open")[:20]:
        driver.execute_script("arguments[0].click()", button)
    for details in driver.find_elements(By.TAG_NAME, "details"):
        driver.execute_script("arguments[0].open = true", details)
    yield driver
    driver.quit()


def test_no_script_of_theirs_has_run(browser: webdriver.Chrome) -> None:
    assert browser.execute_script("return window.hacked === undefined")


def test_no_element_of_theirs_is_there(browser: webdriver.Chrome) -> None:
    everything = "return [...document.querySelectorAll('*')]"
    handlers = f"{everything}.filter(e => e.hasAttribute('onload') || e.hasAttribute('onerror')).length"
    images = "return document.querySelectorAll('img, iframe, object, embed, base, form[action]').length"
    links = (
        "return [...document.querySelectorAll('a')].map(a => a.getAttribute('href')).filter(h => !h.startsWith('#'))"
    )

    assert browser.execute_script(handlers) == 0
    assert browser.execute_script(images) == 0
    assert browser.execute_script(links) == []
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 3


def test_their_markup_is_shown_as_they_wrote_it(browser: webdriver.Chrome) -> None:
    assert "<script>window.hacked=1</script>" in browser.execute_script("return document.body.textContent")


def test_nobody_is_asked_and_the_policy_had_nothing_to_forbid(browser: webdriver.Chrome) -> None:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    asked = [s["request"]["url"] for s in sent if s["documentURL"].startswith("file:")]

    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [browser.current_url]
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
