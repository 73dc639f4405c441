"""Explaining profiles, and writing one of one's own as its page says (A1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zlp import Venue
from zlp.cli import app
from zlp.cli.profile_words import catalogue
from zlp.engine.leaves.isolated import MarketSettings
from zlp.engine.leaves.pool import PoolSettings
from zlp.engine.mechanisms.pricing import AdaptivePrice
from zlp.engine.mechanisms.swap_fees import WeightBand
from zlp.profiles.loader import SHIPPED

PAGE = (Path(__file__).parents[2] / "docs" / "how-to-write-a-profile.md").read_text(encoding="utf-8")
FEES, PRICING = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
RUNNER = CliRunner()


def asked(*words: str, code: int = 0) -> str:
    """What the command line prints."""
    result = RUNNER.invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The profile of the page, edited as it says."""
    file = tmp_path / "my.toml"
    asked("profile", "new", str(file), "--like", "zeus")
    text, count = re.subn(r"\[pool\.swap_fees\]\n[^\[]*", FEES + "\n", file.read_text(encoding="utf-8"))
    assert count == 1
    file.write_text(text.replace("[[market]]\n", "[[market]]\n" + PRICING), encoding="utf-8")
    return file


def test_the_page_makes_a_fifth_design(own: Path) -> None:
    """A1: it is checked, explained, runs in a notebook and through a backtest, without a line of Python."""
    assert "good" in asked("profile", "check", str(own))
    assert "weight_band" in asked("profile", "show", str(own))
    state = Venue(own).root.state
    assert isinstance(next(iter(state.each(PoolSettings))).swap_fees, WeightBand)
    assert all(isinstance(market.pricing, AdaptivePrice) for market in state.each(MarketSettings))
    assert "digest" in asked("backtest", "--profile", str(own), "--days", "2")


def test_a_mistake_is_named_with_its_line(own: Path) -> None:
    """A typing error costs no search."""
    lines = own.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("width"))
    lines[place] = 'widht = "20 %"'
    own.write_text("\n".join(lines), encoding="utf-8")

    said = asked("profile", "check", str(own), code=1)

    assert "widht" in said
    assert "line" in said


def test_nothing_is_overwritten(own: Path) -> None:
    """Starting twice leaves the first file alone."""
    before = own.read_bytes()
    asked("profile", "new", str(own), code=1)
    asked("profile", "new", str(own.with_name("other.toml")), "--like", "nobody", code=1)

    assert own.read_bytes() == before
    assert not own.with_name("other.toml").exists()


@pytest.mark.parametrize("profile", SHIPPED)
def test_every_shipped_profile_is_explained(profile: str) -> None:
    """Each of its settings appears under its name."""
    said = asked("profile", "show", profile)

    assert "[[token]]" in said
    assert "[[price]]" in said


def test_every_table_and_mechanism_is_explained() -> None:
    """What is listed can be asked for; what is not is refused."""
    listed = asked("profile", "explain")
    for kinds in catalogue().values():
        assert len(kinds) > 20
        for name in kinds:
            assert name in listed
            assert name in asked("profile", "explain", name)
    asked("profile", "explain", "nothing_of_the_kind", code=1)
