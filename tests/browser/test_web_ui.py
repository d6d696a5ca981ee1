"""The Web UI in a real Chromium: the probe's workflow is there, Completed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.deploy import Deploy
from tests.support.machine import chromium

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
"""Screenshots, for people to look at; git ignores the folder."""
# No sandbox for root, and nothing that calls home: tests reach no network beyond loopback.
FLAGS = [
    *["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
    *["--disable-background-networking", "--disable-component-update"],
]


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


@pytest.mark.needs("chromium")
def test_the_probes_workflow_is_shown_as_completed(deploy: Deploy, browser: Browser) -> None:
    probe = deploy.json("up")["probe"]
    workflow = f"{probe['task_queue']}-workflow"
    url = deploy.run("open", "local", "ui", "--no-browser").stdout.strip()
    page = browser.new_page(viewport={"width": 1400, "height": 900})

    page.goto(f"{url}/namespaces/default/workflows")
    row = page.get_by_role("row").filter(has_text=workflow)
    expect(row).to_contain_text("Completed", timeout=30_000)
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "workflows.png")

    row.get_by_role("link", name=workflow).first.click()
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Hello, Temporal").first).to_be_visible(timeout=30_000)
    page.screenshot(path=ARTIFACTS / "workflow.png")


@pytest.mark.needs("chromium")
def test_the_page_of_open_is_what_the_browser_shows(deploy: Deploy, browser: Browser) -> None:
    """What `open` starts is really this program, by way of Python's webbrowser and BROWSER."""
    deploy.run("up")
    seen = deploy.folder / "dom.html"
    script = deploy.folder / "browser"
    flags = " ".join(FLAGS)
    script.write_text(
        f"#!/bin/sh\nexec {chromium()} --headless {flags} --user-data-dir={deploy.folder}/profile "
        f'--virtual-time-budget=10000 --dump-dom "$1" > {seen} 2>/dev/null\n'
    )
    script.chmod(0o755)
    deploy.run("open", "local", "ui", BROWSER=f"{script} %s", HOME=os.environ["HOME"])
    assert "<title>" in seen.read_text()
