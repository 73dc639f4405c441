"""Keepers as processes of their own, through the public API of a real venue (E5, E9, A6)."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.cli.processes import Zlp, eventually, free_port, ready, running
from zlp.cli.local.keyring import Keyring
from zlp.cli.remote_door import RemoteDoor
from zlp.client import Client, Signer
from zlp.client.trading import Trading
from zlp.engine import Envelope
from zlp.engine.commands.custody import Deposit, Transfer
from zlp.engine.leaves.ledger import Balance
from zlp.engine.leaves.orders import Order

ROLES = ("governor", "guardian", "bridge", "keeper", "rival", "poster")
DEPOSITS = {"ETH": "1000", "USDC": "2000000"}


class Town:
    """A venue's folder, the keys of those who have a role in it, and where it listens."""

    def __init__(self, folder: Path, profile: str = "zeus") -> None:
        self.folder, self.profile = folder, profile
        self.keys = Keyring(folder / "roles")
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"

    def node(self) -> tuple[str, ...]:
        """Founds the venue, or continues it."""
        roles = [f"{name}={self.keys.address(name)}" for name in ROLES[:3]]
        roles += [f"keeper={self.keys.address(name)}" for name in ROLES[3:]]
        given = [part for role in roles for part in ("--role", role)]
        return (
            "node",
            "--data",
            str(self.folder / "venue"),
            "--profile",
            self.profile,
            "--port",
            str(self.port),
            *given,
        )

    def keeper(self, name: str, *what: str) -> tuple[str, ...]:
        """A keeper signing with one of the roles' keys."""
        key = f"{self.folder / 'roles' / 'keys.json'}#{name}"
        return ("keeper", *what, "--url", self.address, "--key", key, "--every", "0.2")

    def trader(self) -> Trading:
        """Somebody with tokens, who has put half of them into the pool."""
        signer = Signer(self.keys.key("trader"))
        with Client(self.address, Signer(self.keys.key("bridge"))) as bridge:
            known = bridge.tokens()
            for token, amount in ((token, amount) for token, amount in DEPOSITS.items() if token in known):
                bridge.send(Deposit(account=signer.account, token=token, amount=bridge.units(token, amount)))
        return Trading(Client(self.address, signer))


def opened(desk: Trading) -> int:
    """How many fills the trader's orders have had."""
    return len(desk.client.get("/v1/trades", account=desk.account, sequence=str(desk.client.venue().sequence))["items"])


def test_two_keepers_side_by_side_outlive_a_killed_venue(tmp_path: Path) -> None:
    """A6, E9: each order is executed once, by whoever comes first; after kill -9 and a restart they go on."""
    town = Town(tmp_path)
    with running(tmp_path / "node.log", *town.node()) as venue:
        ready(town.address, venue)
        desk = town.trader()
        with (
            running(tmp_path / "poster.log", *town.keeper("poster", "prices")) as poster,
            running(tmp_path / "keeper.log", *town.keeper("keeper", "orders", "liquidations")) as keeper,
            running(tmp_path / "rival.log", *town.keeper("rival", "orders", "fees")) as rival,
        ):
            eventually(lambda: desk.client.prices()["ETH"].low, "prices", poster)
            for token, amount in (("ETH", "500"), ("USDC", "1000000")):
                desk.settled(desk.mint(token, amount))
            _trade(desk, 3)
            assert opened(desk) == 3

            venue.end(signal.SIGKILL)
            eventually(lambda: "waiting:" in poster.said, "noticed", poster)
            with running(tmp_path / "node.log", *town.node()) as again:
                ready(town.address, again)
                _trade(desk, 3)
                assert opened(desk) == 6
                _take_turns(desk, keeper, rival)
                assert poster.end() == rival.end() == 0
                assert "venue is back" in poster.said
                assert again.end() == 0


def test_orders_on_credit_outlive_a_killed_venue(tmp_path: Path) -> None:
    """Z10, E9: a limit, a stop and a signed order are acknowledged, the venue is killed; keepers fill them after."""
    town = Town(tmp_path, "zaros")
    prices = town.keeper("poster", "prices")
    with running(tmp_path / "node.log", *town.node()) as venue, running(tmp_path / "poster.log", *prices) as poster:
        ready(town.address, venue)
        desk = town.trader()
        eventually(lambda: desk.client.prices()["ETH"].low, "prices", poster)
        desk.mint("USDC", "1000000")
        high = float(desk.market("ETH")["high"])
        limit = desk.open("ETH", is_long=True, margin="10000", size="5000", token="USDC", at=f"{high * 1.05:.2f}")
        signed = desk.sign("ETH", is_long=True, size="3000", at=f"{high * 1.04:.2f}")
        venue.end(signal.SIGKILL)
        with (
            running(tmp_path / "node.log", *town.node()) as again,
            running(tmp_path / "keeper.log", *town.keeper("keeper", "credit", "orders")) as keeper,
        ):
            ready(town.address, again)
            for sent in (limit, signed):
                desk.settled(sent)
            assert opened(desk) == 2
            stop = desk.protect("ETH", stop=f"{high * 1.2:.2f}")
            desk.settled(stop)
            assert desk.positions() == []
            back = {row["token"]: float(row["amount"]) for row in desk.collect()}
            assert back["USDC"] > 9_900
            assert "credit: " in keeper.said
            assert keeper.end() == 0
            assert again.end() == 0


def _trade(desk: Trading, count: int) -> None:
    """Open or extend one position, again and again, each time waiting for a keeper."""
    for _ in range(count):
        desk.settled(desk.open("ETH", is_long=True, margin="1", size="5000"))


def _take_turns(desk: Trading, keeper: Zlp, rival: Zlp) -> None:
    """One that is killed is not missed."""
    assert "orders: " in keeper.said + rival.said
    keeper.end(signal.SIGKILL)
    before = opened(desk)
    desk.close("ETH")
    assert opened(desk) == before + 1
    assert desk.positions() == []


def test_a_copy_follows_and_says_what_the_venue_refuses(tmp_path: Path) -> None:
    """E9: the copy has the venue's balances; a rejection comes back with its code, and listeners hear everything."""
    town = Town(tmp_path)
    with running(tmp_path / "node.log", *town.node()) as venue:
        ready(town.address, venue)
        desk = town.trader()
        with Client(town.address, Signer(town.keys.key("keeper"))) as client:
            door = RemoteDoor(client)
            heard: list[int] = []
            door.listen(lambda receipt: heard.append(receipt.sequence))
            start = door.root.sequence
            friend = town.keys.address("rival")
            desk.client.transfer("USDC", friend, "5")
            stolen = Transfer(token="USDC", to=friend, amount=1)
            receipt = door.apply(Envelope(time=door.now(), account=door.account, command=stolen))

            assert receipt.rejection is not None
            assert receipt.rejection.code == "insufficient_balance"
            assert heard == [start + 1, start + 2]
            assert door.root.state.get(Balance, (friend, "USDC")) == Balance(friend, "USDC", 5_000_000)
            assert list(door.root.state.each(Order)) == []


def test_a_keeper_refuses_what_it_cannot_use(tmp_path: Path) -> None:
    """A wrong name, key or source of prices is one readable line."""
    Keyring(tmp_path).key("keeper")
    key = f"{tmp_path / 'keys.json'}#keeper"
    for arguments, said in (
        (("nonsense", "--key", key), "no keeper is called nonsense"),
        (("orders", "--key", f"{tmp_path / 'keys.json'}#nobody"), "no key called nobody"),
        (("prices", "--key", key, "--prices", "replay:missing.csv"), "no file missing.csv"),
        (("prices", "--key", key, "--prices", "rumours"), "--prices is synthetic"),
    ):
        log = tmp_path / f"{arguments[0]}.log"
        with running(log, "keeper", *arguments) as failed:
            assert failed.process.wait(30) == 1
            assert said in failed.said
