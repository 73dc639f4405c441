"""Recordings: what was seen is stored exactly, survives a hard stop, and replays through the port."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zlp.oracle.observation import Observation, Status
from zlp.oracle.recording import Recorder, RecordingError, RecordingSource, candles_of, read_recording

PRICES = st.integers(1, 2**200)
OBSERVATIONS = st.builds(
    Observation,
    source=st.sampled_from(["bybit", "mexc"]),
    asset=st.sampled_from(["BTC", "ETH"]),
    price_e30=PRICES,
    observed_at=st.integers(0, 2**40),
    received_at=st.integers(0, 2**40),
    bid_e30=st.none() | PRICES,
    ask_e30=st.none() | PRICES,
    depth_e30=st.none() | st.just(0) | PRICES,
    round_id=st.none() | st.integers(0, 2**80),
    evidence=st.none() | st.just("ab" * 32),
    quote=st.sampled_from(["USD", "USDT"]),
)


def seen(at: int, price: int, source: str = "bybit", asset: str = "BTC") -> Observation:
    return Observation(source=source, asset=asset, price_e30=price, observed_at=at, received_at=at + 1)


@pytest.mark.parametrize("name", ["seen.jsonl", "seen.jsonl.gz"])
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """A3: every field of every observation survives, in order, over several sessions of one file."""

    @given(st.lists(OBSERVATIONS, max_size=8))
    def check(observations: list[Observation]) -> None:
        path = tmp_path_factory.mktemp("recording") / "deep" / name
        for part in (observations[:3], observations[3:]):
            recorder = Recorder(path)
            for one in part:
                recorder.write(one)
            recorder.close()
        assert list(read_recording(path)) == observations

    check()


def test_a_hard_stop_loses_the_last_line_only(tmp_path: Path) -> None:
    """A crash in the middle of a line, or of a compressed block, leaves a readable recording."""
    path = tmp_path / "seen.jsonl"
    recorder = Recorder(path)
    for at in range(5):
        recorder.write(seen(at, 10**30))
    recorder.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert len(list(read_recording(path))) == 4
    zipped = tmp_path / "seen.jsonl.gz"
    zipped.write_bytes(gzip.compress(whole)[:-12])
    assert list(read_recording(zipped)) == list(read_recording(path))[: len(list(read_recording(zipped)))]


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    """A4: a line that is no observation, and a file that is not there, are errors with a place."""
    path = tmp_path / "seen.jsonl"
    for bad in ("{}", "not json", '{"source":"a","asset":"b","price":"-1","observed_at":1,"received_at":1}'):
        path.write_text(f"{bad}\n")
        with pytest.raises(RecordingError, match="line 1"):
            list(read_recording(path))
    with pytest.raises(RecordingError, match="can't be read"):
        list(read_recording(tmp_path / "absent.jsonl"))


async def test_a_source_speaks_again(tmp_path: Path) -> None:
    """E5: one source of the recording replays under its own name, shifted to now, then falls silent."""
    path = tmp_path / "seen.jsonl"
    recorder = Recorder(path)
    for one in (seen(10, 5), seen(10, 7, "mexc"), seen(12, 6), seen(12, 8, asset="ETH")):
        recorder.write(one)
    recorder.close()
    source = RecordingSource(path, "bybit", speed=0, clock=lambda: 1_011.0)
    replayed = [one async for one in source.observations()]
    assert [(one.asset, one.price_e30, one.observed_at, one.received_at) for one in replayed] == [
        ("BTC", 5, 1_010, 1_011), ("BTC", 6, 1_012, 1_013), ("ETH", 8, 1_012, 1_013),
    ]  # fmt: skip
    assert source.health()["ETH"].status is Status.SILENT
    with pytest.raises(RecordingError, match="nothing of a source named 'kraken'"):
        RecordingSource(path, "kraken")


def test_candles_of_a_recording() -> None:
    """The first, highest, lowest and last price of each step become its candle."""
    path = candles_of([seen(60, 5), seen(61, 9), seen(119, 4), seen(70, 6), seen(120, 8)], 60)
    assert [(step.time, *step.candles["BTC"].ticks()) for step in path.steps] == [
        (60, 5, 4, 9, 6), (120, 8, 8, 8, 8),
    ]  # fmt: skip
    assert path.step_seconds == 60
