"""Profiles: good ones compile, bad ones are refused with the line and the reason (A1)."""

from __future__ import annotations

from importlib import resources

import pytest
from typer.testing import CliRunner

from zlp.cli import app
from zlp.engine import Root
from zlp.engine.fixed import USD
from zlp.engine.leaves.access import Venue
from zlp.engine.leaves.isolated import IsolatedSettings
from zlp.profiles.loader import SHIPPED, ProfileError, load, parse
from zlp.profiles.quantities import quantity, scaled

TEXT = resources.files("zlp.profiles").joinpath("zeus.toml").read_text()


def shipped() -> list[str]:
    """The profiles that exist."""
    return [name for name in SHIPPED if resources.files("zlp.profiles").joinpath(f"{name}.toml").is_file()]


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_profile_founds_a_venue(name: str) -> None:
    """A1, A2: genesis is accepted command by command, twice with the same digest."""
    roots = [Root(), Root()]
    for root in roots:
        for envelope in load(name).genesis():
            receipt = root.apply(envelope)
            assert receipt.rejection is None, (envelope.command, receipt.rejection)

    assert roots[0].chain == roots[1].chain
    assert roots[0].audit() == []


def test_the_digest_of_the_profile_is_in_the_state() -> None:
    """A2: the log says which profile it was founded on."""
    root, profile = Root(), load("zeus")
    for envelope in profile.genesis(identity="test"):
        root.apply(envelope)

    venue = root.state.get(Venue, ())
    assert venue is not None
    assert (venue.identity, venue.profile_hash) == ("test", profile.digest)


def test_quantities_are_exact() -> None:
    """A3: text with a unit becomes an integer at that unit's scale."""
    settings = next(record for record in load("zeus").settings if isinstance(record, IsolatedSettings))

    assert settings.liquidation_fee == 5 * USD
    assert quantity("0.00018 ETH", {"ETH": 18}) == 180_000_000_000_000
    assert quantity("2,500 bps", {}) == 2_500
    assert quantity("80 %", {}) == 8 * 10**17
    assert quantity("30 x", {}) == 300_000
    assert quantity("zero in words", {}) == "zero in words"


@pytest.mark.parametrize("text", ["0.1234567", "NaN", "1e-9", "two", "1 2"])
def test_a_number_that_does_not_fit_is_refused(text: str) -> None:
    """A3: no digit is ever dropped in silence."""
    with pytest.raises(ValueError, match=r"digits|number"):
        scaled(text, 10**6)


def test_floats_are_refused() -> None:
    """A3: amounts are never floats."""
    with pytest.raises(ValueError, match="float"):
        scaled(0.5, 10**6)  # type: ignore[arg-type]


BROKEN = [
    ("weight = 25", 'weight = "x"', "Expected `int`"),
    ("decimals = 6", "decimals = 60", "decimals must be from 0 to 36"),
    ("[order]", "[ordr]", "no settings are called 'ordr'"),
    ('tax_bps = "60 bps" #', 'tax_bps = "9990 bps" #', "must stay below 10000"),
    ('"basket"', '"bakset"', "no branch is called 'bakset'"),
    ("weight = 35", "wight = 35", "no field is called `wight`"),
    ('keeper = "keeper"', 'kepper = "keeper"', "no role is called 'kepper'"),
    ('symbol = "USDC"', 'symbol = "USDT"', "listed twice"),
    ('type = "dynamic_tax"', 'type = "dynamic_tux"', "dynamic_tux"),
    ("decimals = 8", "decimals = 8.5", "Expected `int`"),
    ("decimals = 8", "decimals = 9", "decimals of BTC are 9, not 8"),
    ("fee_to_pool_bps = 0", "fee_to_pool_bps = -1", "fee_to_pool_bps is out of range"),
    ("closing_fee_bps = 0", "closing_fee_bps = -10", "closing_fee_bps is out of range"),
    ('governor = "governor"', 'governor = "multisig:treasury"', "must be an account"),
]


@pytest.mark.parametrize(("good", "bad", "reason"), BROKEN)
def test_a_bad_profile_names_the_line_and_the_reason(good: str, bad: str, reason: str) -> None:
    """A1: every fault is found before a venue is founded on it."""
    with pytest.raises(ProfileError) as caught:
        parse(TEXT.replace(good, bad, 1), source="bad.toml")

    assert reason in caught.value.reason
    assert caught.value.line is not None
    assert str(caught.value).startswith(f"bad.toml, line {caught.value.line}: ")


def test_a_typing_error_in_toml_names_the_line() -> None:
    """A1: the parser's own line is passed on."""
    with pytest.raises(ProfileError) as caught:
        parse('title = "x"\nbranches = nothing\n', source="bad.toml")

    assert caught.value.line == 2


def test_an_unknown_name_lists_the_known_ones() -> None:
    """A1: a wrong name is answered with the right ones."""
    with pytest.raises(ProfileError, match="zeus, zeno, zo, zaros"):
        load("zoos")


def test_the_command_checks_and_shows() -> None:
    """A1: the command line explains a profile and says when it is good."""
    runner = CliRunner()

    assert "good" in runner.invoke(app, ["profile", "check", "zeus"]).output
    assert "what minting, burning" in runner.invoke(app, ["profile", "show", "zeus"]).output.replace("\n", " ")
    assert runner.invoke(app, ["profile", "check", "nonsense"]).exit_code == 1
