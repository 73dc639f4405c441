"""The settings file: every kind of source, secrets from the environment, errors that name the key."""

from pathlib import Path

import pytest

from tests.oracle.report_factory import CONFIG_DIGEST, FEED_ID, address, key
from zlp.oracle.chainlink import ChainlinkSource
from zlp.oracle.data_streams.source import DataStreamsSettings, DataStreamsSource
from zlp.oracle.exchanges import ExchangeSource
from zlp.oracle.replay import ReplaySource
from zlp.oracle.settings import SettingsError, build_source, load_settings

SIGNERS = ", ".join(f'"{address(key(number))}"' for number in range(4))
WHOLE = f"""
[oracle]
primary = "chainlink"
fast = ["bybit", "mexc"]
quotes = {{ USDT = "chainlink" }}

[oracle.blend]
method = "depth"
outlier_bps = 50

[oracle.guard]
sample_rounds = 3
[oracle.guard.guard]
price_duration = 60
max_update_delay = 600
max_time_deviation = 60
max_deviation_bps = 100
spread_inactive_bps = 20
spread_chain_error_bps = 500
data_interval = 60
votes_to_dispute = 2

[[oracle.sources]]
type = "chainlink"
chain_id = 42161
endpoints = ["https://example.invalid/${{RPC_KEY}}"]
sequencer_feed = "0x{"11" * 20}"
feeds = [{{ asset = "ETH", address = "0x{"22" * 20}", heartbeat_seconds = 86460, answer_min = "10" }}]

[[oracle.sources]]
type = "exchange"
exchange = "bybit"
markets = [{{ asset = "ETH", symbol = "ETH/USDT" }}]

[[oracle.sources]]
type = "exchange"
exchange = "mexc"
markets = [{{ asset = "ETH", symbol = "ETH/USDT" }}]

[[oracle.sources]]
type = "data_streams"
credentials = {{ user_id = "u", secret = "${{STREAMS_SECRET}}" }}
signer_sets = [{{ config_digest = "0x{CONFIG_DIGEST.hex()}", f = 1, signers = [{SIGNERS}] }}]
feeds = [{{ asset = "ETH", feed_id = "0x{FEED_ID.hex()}" }}]

[[oracle.sources]]
type = "synthetic"
seed = 7
steps = 10
step_seconds = 60
assets = [{{ asset = "ETH", start_price = "1800" }}]
"""


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment a user would set."""
    monkeypatch.setenv("RPC_KEY", "k1")
    monkeypatch.setenv("STREAMS_SECRET", "s1")


def write(folder: Path, text: str) -> Path:
    path = folder / "oracle.toml"
    path.write_text(text)
    return path


@pytest.mark.usefixtures("secrets")
def test_a_whole_file(tmp_path: Path) -> None:
    """A1: one file describes every kind of source, and each is built without a connection."""
    settings = load_settings(write(tmp_path, WHOLE))
    sources = [build_source(one) for one in settings.sources]
    assert [type(source) for source in sources] == [
        ChainlinkSource, ExchangeSource, ExchangeSource, DataStreamsSource, ReplaySource,
    ]  # fmt: skip
    assert settings.fast_sources == ("bybit", "mexc")
    assert settings.guard.guard.votes_to_dispute == 2
    streams = settings.sources[3]
    assert isinstance(streams, DataStreamsSettings)
    assert streams.credentials.secret == "s1"


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("chain_id = 42161", 'chain_id = "x"', r"sources\[0\].chain_id: expected `int`"),
        ("chain_id = 42161", "", r"sources\[0\]: object missing required field `chain_id`"),
        ("seed = 7", "seed = 7\nsede = 8", r"sources\[4\]: object contains unknown field `sede`"),
        ('type = "synthetic"', 'type = "sinthetic"', r"sources\[4\].type: invalid value 'sinthetic'"),
        ('exchange = "mexc"', 'exchange = "binance"', r"sources\[2\].exchange: invalid enum value 'binance'"),
        ('exchange = "mexc"', 'exchange = "bybit"', "two sources are named 'bybit'"),
        ('fast = ["bybit", "mexc"]', 'fast = ["bybt"]', "fast names 'bybt', but the sources are chainlink, bybit"),
        ('USDT = "chainlink"', 'USDT = "usd"', "quotes names 'usd'"),
        ("ETH/USDT", "ETHUSDT", r"sources\[1\].markets\[0\]: 'ETHUSDT' is not a symbol like ETH/USDT"),
        ("outlier_bps = 50", "outlier_bps = 0", "blend: sources_min, age_max_seconds and outlier_bps"),
        ("f = 1", "f = 2", r"sources\[3\].signer_sets\[0\]: with f = 2 there are 7 to 31 signers"),
        ("${RPC_KEY}", "${NO_SUCH_KEY}", "the environment variable NO_SUCH_KEY is not set"),
        ("[oracle]", "[oracle", "not valid TOML"),
    ],
)
def test_faults_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A4: the error says the file, the key, and what is wrong there."""
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(write(tmp_path, WHOLE.replace(old, new)))
    assert "oracle.toml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A4: an absent file is an error of the same kind."""
    with pytest.raises(SettingsError, match="can't be read"):
        load_settings(tmp_path / "absent.toml")
