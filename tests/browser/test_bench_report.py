"""The report of a benchmark in a real Chromium that has no network."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from temporal_dsql_deploy.bench.report.page import page as report
from temporal_dsql_deploy.bench.results import BenchResult
from tests.browser.test_web_ui import ARTIFACTS, FLAGS
from tests.support.bench_results import Load, result
from tests.support.machine import chromium

pytestmark = pytest.mark.needs("chromium")
WIDE, NARROW = 1280, 400
LOADS = {
    "good": Load(),
    "bad": Load(
        seconds=60, rate=40.0, dropped=0.02, rejected=0.02, failed=0.01, lost=2, away=(21, 27)
    ),
    "iterations": Load(iterations=3, seconds=10),
    "long": Load(seconds=600, rate=5.0),
}
OVERLAPPING = """
() => [...document.querySelectorAll("figure.plot")].flatMap((figure) =>
  ["text.x", "text.y"].flatMap((kind) => {
    const shown = [...figure.querySelectorAll(kind)].filter((one) => one.getClientRects().length);
    const boxes = shown.map((one) => one.getBoundingClientRect());
    return boxes.slice(1).filter((box, index) =>
      box.left < boxes[index].right && box.right > boxes[index].left &&
      box.top < boxes[index].bottom && box.bottom > boxes[index].top
    ).map(() => `${figure.id} ${kind}`);
  }))
"""
OUTSIDE = """
() => [...document.querySelectorAll("svg text")]
  .filter((one) => one.getBoundingClientRect().left < 0
    || one.getBoundingClientRect().right > document.documentElement.clientWidth)
  .map((one) => one.textContent)
"""


@cache
def made(name: str) -> BenchResult:
    return result(LOADS[name])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made_in = tmp_path_factory.mktemp("reports")
    for name in LOADS:
        (made_in / f"{name}.html").write_text(report(made(name)))
    return made_in


def opened(browser: Browser, file: Path, *, width: int = WIDE, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        offline=True,
    )
    shown = context.new_page()
    shown.goto(file.as_uri())
    return shown


def photographed(shown: Page, name: str) -> Page:
    ARTIFACTS.mkdir(exist_ok=True)
    shown.screenshot(path=ARTIFACTS / f"report-{name}.png", full_page=True)
    return shown


@pytest.mark.parametrize("name", LOADS)
def test_it_asks_nobody_and_complains_of_nothing(browser: Browser, folder: Path, name: str) -> None:
    asked: list[str] = []
    said: list[str] = []
    context = browser.new_context(offline=True)
    shown = context.new_page()

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_()

    shown.route("**/*", answer)
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    file = folder / f"{name}.html"
    shown.goto(file.as_uri())
    shown.get_by_role("img").first.hover()
    assert asked == [file.as_uri()]
    assert not said
    iterations = made(name).iterations
    expect(shown.locator("figure.plot")).to_have_count(8 * len(iterations))
    for path in shown.locator("figure.plot").first.locator("path").all():
        box = path.bounding_box()
        assert box
        assert box["width"] > 100


@pytest.mark.parametrize("name", LOADS)
def test_it_fits_any_screen(browser: Browser, folder: Path, name: str) -> None:
    shown = opened(browser, folder / f"{name}.html")
    for width in (WIDE, 768, NARROW, 320):
        shown.set_viewport_size({"width": width, "height": 900})
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        assert shown.evaluate(OVERLAPPING) == []
        assert shown.evaluate(OUTSIDE) == []


def test_it_is_dark_where_people_want_it_dark(browser: Browser, folder: Path) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light = opened(browser, folder / "bad.html")
    dark = opened(browser, folder / "bad.html", dark=True)
    brightness = [
        sum(map(int, re.findall(r"\d+", photographed(one, name).evaluate(colour))))
        for name, one in (("light", light), ("dark", dark))
    ]
    assert brightness[0] > 600
    assert brightness[1] < 150


def test_pointing_at_a_plot_shows_its_values(browser: Browser, folder: Path) -> None:
    shown = opened(browser, folder / "good.html")
    plot = shown.locator("#rate-1 svg[role=img]")
    box = plot.bounding_box()
    assert box
    series = made("good").iterations[0].series
    for second in (3, len(series) - 2):
        at = box["width"] * (second + 0.5) / len(series)
        plot.hover(position={"x": at, "y": 60})
        tip = shown.locator("#rate-1 output")
        expect(tip).to_contain_text(f"second {second}\n")
        expect(tip).to_contain_text(f"completed: {series[second].completed} /s")
        expect(tip).to_contain_text("target: 20 /s")
        expect(shown.locator("#rate-1 .cursor")).not_to_have_css("display", "none")
        assert shown.evaluate("document.documentElement.scrollWidth") == WIDE
    shown.locator("h1").hover()
    expect(shown.locator("#rate-1 output")).to_be_hidden()
    expect(shown.locator("#rate-1 .cursor")).to_have_css("display", "none")


def test_the_keyboard_shows_them_too(browser: Browser, folder: Path) -> None:
    shown = opened(browser, folder / "bad.html", width=NARROW)
    canvas = shown.locator("#latency-1 .canvas")
    tip = shown.locator("#latency-1 output")
    canvas.focus()
    for _ in range(23):
        canvas.press("ArrowRight")
    expect(tip).to_contain_text("second 22\n")
    expect(tip).to_contain_text("p99: none")
    canvas.press("ArrowLeft")
    expect(tip).to_contain_text("second 21\n")
    photographed(shown, "narrow")
    canvas.press("Escape")
    expect(tip).to_be_hidden()


def test_without_scripts_the_plots_are_there(browser: Browser, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    shown = context.new_page()
    shown.goto((folder / "bad.html").as_uri())
    expect(shown.locator("#rate-1 path.a")).to_be_visible()
    expect(shown.locator("#rate-1 text.gap")).to_have_text("gap 6 s")
    expect(shown.locator("#rate-1 output")).to_be_hidden()


def test_what_is_printed_is_all_of_it(browser: Browser, folder: Path) -> None:
    shown = opened(browser, folder / "iterations.html")
    numbers = shown.locator("#iteration-2 > details table")
    expect(numbers).to_be_hidden()
    ARTIFACTS.mkdir(exist_ok=True)
    shown.pdf(path=ARTIFACTS / "report.pdf", format="A4")
    expect(numbers).to_be_visible()
    assert (ARTIFACTS / "report.pdf").stat().st_size > 10_000
    # As wide as a sheet of A4 without its margins.
    shown.set_viewport_size({"width": 720, "height": 1000})
    shown.emulate_media(media="print")
    assert shown.evaluate("document.documentElement.scrollWidth") == 720


def test_the_numbers_are_in_a_table_too(browser: Browser, folder: Path) -> None:
    shown = opened(browser, folder / "good.html")
    one = made("good").iterations[0]
    shown.get_by_text("The numbers of the plots", exact=True).click()
    table = shown.get_by_role("region", name="The numbers of the plots").get_by_role("table")
    row = table.get_by_role("row").nth(6)
    expect(row.get_by_role("rowheader")).to_have_text("5")
    expect(row.get_by_role("cell").nth(5)).to_have_text(str(one.series[5].completed))
