"""`zlp up` as people run it: a living venue in a moment, an orderly end, and the same venue afterwards (A1, A5)."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.processes import Zlp, eventually, free_port, ready, running
from zlp.cli.price_sources import parts
from zlp.oracle.settings import load_settings

MINUTE = 60


def get(address: str, path: str) -> dict:
    """A read's answer."""
    answer = httpx.get(address + path, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def up(folder: Path, port: int, *more: str) -> tuple[str, ...]:
    """What is typed."""
    return ("up", "--data", str(folder), "--port", str(port), "--every", "0.2", *more)


def fills(address: str) -> int:
    """The sequence of the newest trade, 0 before there is one."""
    items = get(address, "/v1/trades?limit=1")["items"]
    return int(items[0]["sequence"]) if items else 0


def stopped(venue: Zlp) -> None:
    """Ctrl-C ends it in order, and it says so."""
    assert venue.end() == 0, venue.said
    assert "stopped; starting again continues where it was" in venue.said
    assert "Traceback" not in venue.said, venue.said


@pytest.mark.crash
@pytest.mark.parametrize("profile", ["zeus", "zeno", "zo", "zaros"])
def test_up_lives_ends_and_goes_on(tmp_path: Path, profile: str) -> None:
    """A1: within a minute it answers, with trades in it; Ctrl-C ends it; again it continues; `verify` passes."""
    folder, port = tmp_path / "venue", free_port()
    address = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    with running(tmp_path / "up.log", *up(folder, port, "--profile", profile)) as venue:
        ready(address, venue)
        assert time.monotonic() - started < MINUTE
        assert get(address, "/v1/desk")["pools"]
        assert httpx.get(f"{address}/").status_code == 200
        assert address in eventually(lambda: venue.said if "is running" in venue.said else "", "welcome", venue)
        first = eventually(lambda: fills(address), "the trades of the day before", venue)
        eventually(lambda: fills(address) > first, "a trade after the doors opened", venue)
        stopped(venue)
    with running(tmp_path / "again.log", *up(folder, port, "--profile", profile)) as again:
        ready(address, again)
        before = int(get(address, "/v1/venue")["sequence"])
        assert before > first
        newest = fills(address)
        eventually(lambda: fills(address) > newest, "a trade after starting again", again)
        stopped(again)
    checked = subprocess.run(
        [sys.executable, "-c", "from zlp.cli import app; app()", "verify", str(folder)],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_empty_venue_takes_its_prices_from_live_feeds(tmp_path: Path) -> None:
    """A1, E5: with --prices live the venue's prices are what the sources of the settings file agree on."""
    prices = tmp_path / "prices.csv"
    rows = [f"{second},{asset},{price}" for second in range(600) for asset, price in ASSETS]
    prices.write_text("time,asset,close\n" + "\n".join(rows) + "\n")
    settings = tmp_path / "oracle.toml"
    settings.write_text(f'[oracle.blend]\nsources_min = 1\n\n[[oracle.sources]]\ntype = "replay"\npath = "{prices}"\n')
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    arguments = up(tmp_path / "venue", port, "--empty", "--prices", f"live:{settings}")
    with running(tmp_path / "up.log", *arguments) as venue:
        ready(address, venue)
        eventually(lambda: _low(address, "ETH") == "2345.5", "the feed's price", venue)
        assert get(address, "/v1/trades")["items"] == []
        stopped(venue)


ASSETS = (("ETH", "2345.5"), ("BTC", "54321"), ("USDC", "1"), ("USDT", "1"))


def _low(address: str, asset: str) -> str:
    items = get(address, "/v1/prices")["items"]
    return next((row["low"] for row in items if row["asset"] == asset), "")


def test_live_prices_need_no_file() -> None:
    """E5: two exchanges, by settings that ship with the package and can be read."""
    kind, file = parts("live")
    settings = load_settings(file)

    assert kind == "live"
    assert settings.fast == ("bybit", "mexc")
    assert all({market.asset for market in source.markets} >= {"ETH", "BTC", "USDC"} for source in settings.sources)


@pytest.mark.parametrize("text", ["live:nowhere.toml", "replay:", "guesses"])
def test_up_says_what_is_wrong_with_its_prices(tmp_path: Path, text: str) -> None:
    """A bad --prices is one line and exit code 1, before anything is founded."""
    log = tmp_path / "up.log"
    with running(log, *up(tmp_path / "venue", free_port(), "--prices", text)) as venue:
        assert venue.process.wait(MINUTE) == 1
        assert "--prices" in venue.said
        assert not (tmp_path / "venue").exists()


def test_a_taken_port_is_named_before_anything_is_founded(tmp_path: Path) -> None:
    """A1: not after the venue's first day."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with running(tmp_path / "up.log", *up(tmp_path / "venue", other.getsockname()[1])) as venue:
            assert venue.process.wait(MINUTE) == 1
            assert "--port" in venue.said
            assert not (tmp_path / "venue").exists()


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    """A1: what the system says, without a trace of our insides."""
    (tmp_path / "file").touch()
    with running(tmp_path / "up.log", *up(tmp_path / "file" / "venue", free_port())) as venue:
        assert venue.process.wait(MINUTE) == 1
        assert "Not a directory" in venue.said
        assert "Traceback" not in venue.said


@pytest.mark.crash
def test_a_first_start_may_be_interrupted(tmp_path: Path) -> None:
    """A1: Ctrl-C while a demo lives its first day ends it in order; the next start opens the doors."""
    folder, port = tmp_path / "venue", free_port()
    with running(tmp_path / "up.log", *up(folder, port)) as venue:
        eventually(lambda: "ready" in venue.said, "founding", venue)
        stopped(venue)
    with running(tmp_path / "again.log", *up(folder, port)) as again:
        ready(f"http://127.0.0.1:{port}", again)
        assert get(f"http://127.0.0.1:{port}", "/v1/desk")["pools"]
        stopped(again)
