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
from typing import Any, NamedTuple

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
([pressed, awaited]) => new Promise((done) => {
  const started = performance.now();
  const look = () => {
    const found = document.querySelector(awaited);
    requestAnimationFrame(found ? () => done(performance.now() - started) : look);
  };
  document.querySelector(pressed).click();
  look();
})
"""
"""Press something and answer the milliseconds until the frame after its outcome is there."""


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
    return float(page.evaluate(SHOWN, [f'#nav a[href="#/{section}"]', f"main.page-{section} h1"]))


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


class Seen(NamedTuple):
    """What one visit measured, in milliseconds and megabytes."""

    painted: float
    known: float
    loading: list[float]
    quotes: list[float]
    sections: dict[str, list[float]]
    events: list[float]
    frames: list[float]
    tasks: list[float]
    heap: tuple[float, float]
    answers: dict[str, list[float]]


def visited(page: Page, session: CDPSession, seconds: float) -> Seen:
    """Open a position, type, walk through the sections, look on. The page is open, its visitor connected."""
    amounts = AMOUNTS.get(page.locator(".ticket select.unit").first.input_value(), ("2000", "2100"))
    page.fill("input[name=amount]", amounts[0])
    page.wait_for_selector(".ticket .outcome >> text=Liquidation price")
    page.wait_for_timeout(1_000)
    began, before = page.evaluate("performance.now()"), heap(session)
    quotes = [typed(page, amounts[turn % 2]) for turn in range(1, 13)]
    page.click(".ticket button.wide")
    page.wait_for_selector(".lower tbody tr")
    sections: dict[str, list[float]] = {}
    for section in SECTIONS * 3:
        sections.setdefault(section, []).append(switched(page, section))
        page.wait_for_timeout(700)
    earlier = page.evaluate("seen.frames.length")
    page.wait_for_timeout(seconds * 1_000)
    return Seen(
        painted=page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"),
        known=page.evaluate("performance.getEntriesByName(location.origin + '/v1/desk?lag=250')[0].responseEnd"),
        loading=page.evaluate(f"seen.tasks.filter(each => each[0] <= {began}).map(each => each[1])"),
        quotes=quotes,
        sections=sections,
        events=page.evaluate("seen.events"),
        frames=page.evaluate(f"seen.frames.slice({earlier})"),
        tasks=page.evaluate(f"seen.tasks.filter(each => each[0] > {began}).map(each => each[1])"),
        heap=(before, heap(session)),
        answers=answers(page),
    )


def report(seen: Seen, told: bool) -> None:
    """One visit as a table."""
    rows = {
        "typing to its quote": seen.quotes,
        **{f"going to {section}": took for section, took in seen.sections.items()},
        "any event until its next frame": seen.events,
        "between frames, looking on": seen.frames,
        f"{len(seen.loading)} tasks above 50 ms while loading": seen.loading,
        f"{len(seen.tasks)} tasks above 50 ms afterwards": seen.tasks,
    }
    print(f"  first contentful paint {seen.painted:.0f} ms, markets and pools known after {seen.known:.0f} ms")
    print(f"  {'ms':42} median    95 %    most")
    for name, took in rows.items():
        print(f"  {name:40} {milliseconds(took)}")
    print(f"  heap {seen.heap[0]:.1f} MB, after the visit {seen.heap[1]:.1f} MB")
    for path, took in sorted(seen.answers.items()) if told else ():
        print(f"  {path:40} {milliseconds(took)}  {len(took)} answers")


def trace(address: str, seconds: float) -> Seen:
    """One visit, measured."""
    with launched() as browser:
        visitor = Visit(browser, address)
        visitor.page.add_init_script(WATCH)
        session = visitor.context.new_cdp_session(visitor.page)
        session.send("Performance.enable")
        visitor.open()
        visitor.use_demo()
        seen = visited(visitor.page, session, seconds)
        visitor.close()
        return seen


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
            report(trace(address, given.seconds), given.answers)
        print(f"  ({time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main()
