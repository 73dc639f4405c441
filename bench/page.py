"""The page in a browser, while many positions are open and prices come fast: python -m bench.page

A visitor opens the page, takes a position, types in the ticket, goes from section to section, and looks on for a
while. Printed: first paint, the longest tasks of the page's thread, how long each interaction took until the next
frame showed its outcome, frames, memory, and how long the venue's answers took. ``--positions`` and ``--posts``
say what the venue holds and how many times a second all its prices are posted.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import CDPSession, Page

from bench.timing import interpreter
from tests.e2e.browser import Visit, launched

STARTS_WITHIN = 300
AMOUNTS = {"BTC": ("0.05", "0.06"), "ETH": ("1", "1.1"), "WETH": ("1", "1.1"), "SOL": ("20", "21")}
SECTIONS = ("liquidity", "risk", "calculators", "explorer", "wallet", "trade")
WATCH = """
(() => {
  window.seen = {tasks: [], frames: [], events: []};
  const watch = (type, take, more) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({type, buffered: true, ...more});
  watch("longtask", (each) => seen.tasks.push([each.startTime, each.duration]));
  watch("event", (each) => seen.events.push(each.duration), {durationThreshold: 16});
  let last = 0;
  const frame = (at) => { if (last) seen.frames.push(at - last); last = at; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  performance.setResourceTimingBufferSize(20000);
})();
"""
SHOWN = """
([action, selector, text]) => new Promise((done) => {
  const started = performance.now();
  const look = () => {
    const found = document.querySelector(selector);
    if (found && found.textContent.includes(text)) requestAnimationFrame(() => done(performance.now() - started));
    else requestAnimationFrame(look);
  };
  action === "type" ? window.act() : document.querySelector(action).click();
  look();
})
"""
"""Do something and answer the milliseconds until the frame after its outcome is there."""


@contextmanager
def venue(profile: str, positions: int, posts: float) -> Iterator[str]:
    """A venue that holds so many positions; its address."""
    command = [sys.executable, "-m", "bench.page_venue", profile, str(positions), str(posts)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            print(f"  {line.strip()}")
            if line.startswith("page "):
                yield line.split()[1]
                return
        raise RuntimeError("the venue did not start")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def milliseconds(values: list[float]) -> str:
    """Median, 95 of 100, and the largest."""
    if not values:
        return "none"
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"{statistics.median(ordered):6.0f} {high:6.0f} {ordered[-1]:6.0f}"


def heap(session: CDPSession) -> float:
    """Megabytes of the page's heap after a collection."""
    session.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(found["JSHeapUsedSize"]) / 2**20


def typed(page: Page, amount: str) -> float:
    """Type an amount; until a quote for just this amount is on the screen."""
    return float(
        page.evaluate(
            """(amount) => new Promise((done) => {
              const box = document.querySelector("input[name=amount]");
              const outcome = document.querySelector(".ticket .outcome");
              const started = performance.now();
              const look = new MutationObserver(() => {
                if (!outcome.textContent.includes("Liquidation price")) return;
                look.disconnect();
                requestAnimationFrame(() => done(performance.now() - started));
              });
              box.value = amount;
              box.dispatchEvent(new Event("input", {bubbles: true}));
              look.observe(outcome, {childList: true, subtree: true});
            })""",
            amount,
        )
    )


def switched(page: Page, section: str) -> float:
    """Go to a section; until its heading is on the screen."""
    return float(page.evaluate(SHOWN, [f'#nav a[href="#/{section}"]', f"main.page-{section} h1", ""]))


def answers(page: Page) -> dict[str, list[float]]:
    """How long the venue's answers took, by path."""
    found: dict[str, list[float]] = {}
    entries: list[dict[str, Any]] = page.evaluate(
        "performance.getEntriesByType('resource').map(each => ({name: each.name, took: each.duration}))"
    )
    for each in entries:
        path = each["name"].partition("?")[0].split("/", 3)[-1]
        if path.startswith("v1/"):
            named = "/".join(part if not part.startswith("0x") else "{account}" for part in path.split("/"))
            found.setdefault(f"/{named}", []).append(each["took"])
    return found


def trace(address: str, seconds: float, told: bool) -> None:
    """One visit, measured."""
    with launched() as browser:
        visitor = Visit(browser, address)
        page = visitor.page
        page.add_init_script(WATCH)
        session = visitor.context.new_cdp_session(page)
        session.send("Performance.enable")
        visitor.open()
        page.wait_for_timeout(1_500)
        first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
        known = page.evaluate("performance.getEntriesByName(location.origin + '/v1/desk?lag=250')[0].responseEnd")
        visitor.use_demo()
        amounts = AMOUNTS.get(page.locator(".ticket select.unit").first.input_value(), ("2000", "2100"))
        page.fill("input[name=amount]", amounts[0])
        page.wait_for_selector(".ticket .outcome >> text=Liquidation price")
        page.wait_for_timeout(1_000)
        began = page.evaluate("performance.now()")
        before = heap(session)
        quotes = [typed(page, amounts[turn % 2]) for turn in range(1, 13)]
        page.click(".ticket button.wide")
        page.wait_for_selector(".lower tbody tr")
        switches: dict[str, list[float]] = {}
        for _ in range(3):
            for section in SECTIONS:
                switches.setdefault(section, []).append(switched(page, section))
                page.wait_for_timeout(700)
        frames_from = page.evaluate("seen.frames.length")
        page.wait_for_timeout(seconds * 1_000)
        frames: list[float] = page.evaluate(f"seen.frames.slice({frames_from})")
        page.goto(f"{address}/#/risk")
        page.wait_for_timeout(seconds * 500)
        page.goto(f"{address}/#/trade")
        page.wait_for_timeout(1_000)
        after = heap(session)
        tasks = page.evaluate(f"seen.tasks.filter(each => each[0] > {began}).map(each => each[1])")
        loading = page.evaluate(f"seen.tasks.filter(each => each[0] <= {began}).map(each => each[1])")
        print(f"  first contentful paint {first:6.0f} ms, markets and pools known after {known:.0f} ms")
        print(f"  {'ms':42} median    95 %    most")
        print(f"  {'typing to its quote':40} {milliseconds(quotes)}")
        for section, took in switches.items():
            print(f"  {'going to ' + section:40} {milliseconds(took)}")
        print(f"  {'any event until its next frame':40} {milliseconds(page.evaluate('seen.events'))}")
        print(f"  {'between frames, looking on':40} {milliseconds(frames)}")
        print(f"  {f'{len(tasks)} tasks above 50 ms':40} {milliseconds(tasks)}")
        print(f"  {f'{len(loading)} of them while loading':40} {milliseconds(loading)}")
        print(f"  heap {before:.1f} MB, after the visit {after:.1f} MB")
        for path, took in sorted(answers(page).items()) if told else ():
            print(f"  {path:40} {milliseconds(took)}  {len(took)} answers")
        if visitor.faults:
            print(f"  faults: {visitor.faults}")
        visitor.context.close()


def main() -> None:
    """Every profile asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="append", help="zeno if not given; may be repeated")
    parser.add_argument("--positions", type=int, default=1_000)
    parser.add_argument("--posts", type=float, default=50)
    parser.add_argument("--answers", action="store_true", help="also how long each of the venue's answers took")
    parser.add_argument("--seconds", type=float, default=15)
    given = parser.parse_args()
    print(interpreter(), "on", os.cpu_count(), "cores")
    for profile in given.profile or ["zeno"]:
        started = time.monotonic()
        print(f"{profile}: {given.positions:,} positions, prices {given.posts:g} times a second")
        with venue(profile, given.positions, given.posts) as address:
            trace(address, given.seconds, given.answers)
        print(f"  ({time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main()
