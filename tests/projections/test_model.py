"""The read model as a whole: exactly once, and the same whichever way it was built."""

import os
from random import Random

import pytest
from sqlalchemy import func, select

from tests.projections.weather import facts, model
from zlp.projections import ReadModel, WrongVenue, tables

PROFILES = ("zeus", "zeno", "zo", "zaros")


@pytest.fixture(scope="module")
def told() -> dict:
    """A log of each profile."""
    return {profile: facts(profile, seed=5, commands=1_200) for profile in PROFILES}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_rebuilt_model_is_the_live_one_byte_for_byte(profile: str, told: dict, tmp_path) -> None:
    """A2: built as it happened in random groups, with repeats, or later in one go: the same bytes."""
    log = told[profile]
    live = model(tmp_path / "live", log, batches=Random(3))
    live.apply(log[-30:])
    other = model(tmp_path / "other", log[:17])
    assert list(other.rebuild(log, page=333))[-1] == live.last == log[-1].receipt.sequence
    assert b"".join(live.dump()) == b"".join(other.dump())
    with live.engine.connect() as connection:
        for table in (tables.fills, tables.liquidity, tables.fees, tables.candles, tables.transfers, tables.prices):
            assert connection.execute(select(func.count()).select_from(table)).scalar(), table.name


def test_a_crash_between_rows_and_commit_leaves_nothing(told: dict, tmp_path, monkeypatch) -> None:
    """A2: rows and the sequence they reach are one transaction; after the crash it goes on where it stood."""
    log = told["zeus"]
    broken = model(tmp_path / "broken", log[:600])
    before = b"".join(broken.dump())
    write, calls = tables.METADATA.tables["progress"], []

    def dies(self) -> None:
        calls.append(self)
        self._changed.pop(write)
        self._upsert(tables.candles, list(self._cards[tables.candles].values()))
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr("zlp.projections.batch.Batch.write", dies)
        with pytest.raises(OSError, match="gone"):
            broken.apply(log[600:900])
    assert calls
    assert b"".join(broken.dump()) == before
    broken.apply(log[600:])
    assert broken.digest() == model(tmp_path / "whole", log).digest()


@pytest.mark.parametrize("profile", PROFILES)
def test_postgresql_keeps_the_same_bytes(profile: str, told: dict, tmp_path) -> None:
    """A2: another database, the same rows."""
    url = os.environ.get("ZLP_TEST_POSTGRES")
    if not url:
        pytest.skip("ZLP_TEST_POSTGRES names no PostgreSQL database")
    made = ReadModel(url)
    assert list(made.rebuild(told[profile], page=100))[-1] == told[profile][-1].receipt.sequence
    assert made.digest() == model(tmp_path / "sqlite", told[profile]).digest()
    made.close()


def test_a_gap_or_another_venue_is_refused(told: dict, tmp_path) -> None:
    """A2: history is never silently incomplete."""
    log = told["zeus"]
    made = model(tmp_path / "gap", log[:50])
    with pytest.raises(WrongVenue, match="after sequence 50 comes 52"):
        made.apply(log[51:60])
    assert made.last == 50
    ReadModel(f"sqlite:///{tmp_path / 'named'}", "one").apply(log[:50])
    with pytest.raises(WrongVenue, match="is of one, not of two"):
        ReadModel(f"sqlite:///{tmp_path / 'named'}", "two")
