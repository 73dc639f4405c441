"""The command line: recording, replaying, candles, generating, proving, and errors in one line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.oracle.report_factory import CONFIG_DIGEST, FEED_ID, NOW, address, key, report, signer_set
from zlp.oracle.commands import oracle_app, prices_app
from zlp.oracle.data_streams.archive import ReportArchive
from zlp.oracle.data_streams.verification import Verifier
from zlp.oracle.replay import load_prices

FAST = """
primary = "model"
[[sources]]
type = "synthetic"
name = "model"
seed = 7
steps = 20
step_seconds = 60
speed = 0
assets = [{ asset = "ETH", start_price = "1800" }, { asset = "BTC", start_price = "60000" }]
[[sources]]
type = "synthetic"
name = "other"
seed = 8
steps = 20
step_seconds = 60
speed = 0
assets = [{ asset = "ETH", start_price = "1800" }]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Two generators that replay at once."""
    path = tmp_path / "oracle.toml"
    path.write_text(FAST)
    return path


def run(app: object, *arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return result.output


def fail(app: object, *arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])  # type: ignore[arg-type]
    assert result.exit_code == 1, result.output
    return result.output


def test_record_and_make_candles(settings: Path, tmp_path: Path) -> None:
    """E5: a recording holds every source's words, and one of them becomes a price file for the backtester."""
    recording, prices = tmp_path / "seen.jsonl.gz", tmp_path / "seen.parquet"
    assert "60 observations" in run(oracle_app, "record", settings, recording)
    assert "20 steps of 60 s for BTC, ETH" in run(oracle_app, "candles", recording, prices, "--source", "model")
    made = tmp_path / "made.parquet"
    run(prices_app, "generate", settings, made)
    recorded, generated = load_prices(prices).prices, load_prices(made).prices
    assert [step.candles["BTC"].close for step in recorded.steps] == [
        step.candles["BTC"].close for step in generated.steps
    ]
    assert "nothing of a source named 'x'" in fail(oracle_app, "candles", recording, prices, "--source", "x")


def test_a_recording_is_a_source(settings: Path, tmp_path: Path) -> None:
    """E5: what was recorded can be watched again."""
    recording = tmp_path / "seen.jsonl"
    run(oracle_app, "record", settings, recording)
    again = tmp_path / "again.toml"
    again.write_text(f'[[sources]]\ntype = "recording"\nname = "other"\npath = "{recording}"\nspeed = 100000\n')
    assert "other" in run(oracle_app, "watch", again)


def test_watch_ends_with_the_time(settings: Path) -> None:
    """The table shows both sources and stops by itself."""
    slow = settings.with_name("slow.toml")
    slow.write_text(FAST.replace("speed = 0", "speed = 1"))
    output = run(oracle_app, "watch", slow, "--seconds", "0.3", "--every", "0.1")
    assert "What a venue would use" in output
    assert "model" in output


def test_archived_reports_are_proved_again(tmp_path: Path) -> None:
    """Z6: an auditor verifies the report behind a command from its digest, and finds a forged archive."""
    settings, archive = tmp_path / "oracle.toml", tmp_path / "reports.jsonl"
    signers = [address(key(number)) for number in range(4)]
    settings.write_text(
        f"""[[sources]]
type = "data_streams"
credentials = {{ user_id = "u", secret = "s" }}
signer_sets = [{{ config_digest = "{CONFIG_DIGEST.hex()}", f = 1, signers = {json.dumps(signers)} }}]
feeds = [{{ asset = "ETH", feed_id = "{FEED_ID.hex()}" }}]
"""
    )
    verified = Verifier((signer_set(),)).verify(report(), feed_id=FEED_ID, now=NOW)
    kept = ReportArchive(archive)
    kept.add(verified, NOW)
    kept.close()
    assert f"{verified.digest} verified" in run(oracle_app, "verify", settings, archive, "--digest", verified.digest)
    assert "1 reports verified, 0 refused" in run(oracle_app, "verify", settings, archive)
    assert "0 reports verified" in fail(oracle_app, "verify", settings, archive, "--digest", "00")
    archive.write_text(archive.read_text().replace(verified.digest, "ff" * 32))
    assert f"its digest is {verified.digest}" in fail(oracle_app, "verify", settings, archive)


def test_errors_are_one_line(tmp_path: Path) -> None:
    """A4: no traceback for a user's mistake; brackets of a key's path are shown as they are."""
    broken = tmp_path / "broken.toml"
    broken.write_text('[[sources]]\ntype = "exchange"\nexchange = "bybit"\nmarkets = [{ asset = "A", symbol = "A" }]\n')
    output = fail(oracle_app, "watch", broken)
    assert "error: " in output
    assert "sources[0].markets[0]: 'A' is not a symbol like ETH/USDT" in output
    assert "Traceback" not in output
    fetching = ("fetch", tmp_path / "p.csv", "--market")
    assert "is not a moment" in fail(prices_app, *fetching, "A=A/USDT", "--start", "soon")
    assert "is not an asset and a symbol" in fail(prices_app, *fetching, "ETH", "--start", "2024-01-01")
    assert "no source of type synthetic" in fail(prices_app, "generate", _without_model(tmp_path), tmp_path / "p.csv")


def _without_model(folder: Path) -> Path:
    path = folder / "none.toml"
    path.write_text("sources = []\n")
    return path
