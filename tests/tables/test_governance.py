"""Authority: roles, multisigs, pauses, agents, nonces, parameters with old and new values, the tree of branches."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.properties.venue import Venue
from zlp.engine import Command, Envelope, Receipt, Root, ledger
from zlp.engine.branches import CATALOGUE
from zlp.engine.branches.base import Branch
from zlp.engine.codec import canonical
from zlp.engine.commands.custody import Deposit, Faucet, Transfer
from zlp.engine.commands.governance import (
    Approve,
    ApproveAgent,
    BranchCut,
    Configure,
    Found,
    GrantRole,
    PauseScope,
    Propose,
    ResumeScope,
    RevokeAgent,
    RevokeRole,
    SetMultisig,
    SetParameter,
    UpgradeBranches,
)
from zlp.engine.commands.isolated import IncreasePosition
from zlp.engine.commands.liquidity import Burn, Mint, Swap
from zlp.engine.commands.orders import CancelOrder, ExecuteOrder, PlaceOrder
from zlp.engine.draft import Draft
from zlp.engine.events.governance import Approved, BranchChanged, ParameterChanged, Paused, Resumed, RoleRevoked
from zlp.engine.leaves.access import Installed, Nonces, Role, RoleHolder
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.pool import PoolSettings
from zlp.engine.rejections import Code

ETHER = 10**18


@pytest.fixture
def venue() -> Venue:
    """A priced pool, and ann with ether and shares that may be burned."""
    found = Venue("zeus")
    found.post()
    found.ask("bridge", Deposit(account="ann", token="ETH", amount=1_000 * ETHER))
    found.ask("ann", Mint(pool="main", token="ETH", amount=100 * ETHER))
    found.now += 900
    return found


def code(receipt: Receipt) -> Code | None:
    """Why it was refused, if it was."""
    return None if receipt.rejection is None else receipt.rejection.code


def signed(venue: Venue, command: Command, signer: str = "key", nonce: int = 0, account: str = "ann") -> Receipt:
    """A command that a key signed for an account."""
    envelope = Envelope(time=venue.now, account=account, command=command, signer=signer, nonce=nonce)
    return venue.root.apply(envelope)


def test_a_parameter_change_says_what_was_and_what_is(venue: Venue) -> None:
    """A8: the event carries the old and the new value, of a field inside a mechanism too."""
    change = SetParameter(leaf="PoolSettings", key='["main"]', field="swap_fees.swap_bps", value="30")
    [event] = venue.ask("governor", change).events
    assert event == ParameterChanged(
        leaf="PoolSettings", key='["main"]', field="swap_fees.swap_bps", old="25", new="30"
    )
    settings = venue.root.state.get(PoolSettings, ("main",))
    assert settings is not None
    assert settings.swap_fees.swap_bps == 30  # type: ignore[union-attr]
    whole = Configure(settings=canonical(replace(settings, cooldown=60)).decode())
    [event] = venue.ask("governor", whole).events
    assert isinstance(event, ParameterChanged)
    assert (json.loads(event.old)["cooldown"], json.loads(event.new)["cooldown"]) == (900, 60)


def test_a_new_token_is_a_setting(venue: Venue) -> None:
    """A8: a record that was not there has no old value."""
    [event] = venue.ask("governor", Configure(settings=canonical(Token("SOL", 9)).decode())).events
    assert isinstance(event, ParameterChanged)
    assert (event.leaf, event.field, event.old) == ("Token", "", "")
    assert code(venue.ask("bridge", Deposit(account="ann", token="SOL", amount=1))) is None


def test_roles_are_granted_revoked_and_the_last_governor_stays(venue: Venue) -> None:
    """A8."""
    deposit = Deposit(account="ann", token="ETH", amount=1)
    assert code(venue.ask("ben", deposit)) is Code.ROLE_REQUIRED
    assert code(venue.ask("governor", GrantRole(role="bridge", holder="ben"))) is None
    assert code(venue.ask("ben", deposit)) is None
    assert venue.ask("governor", RevokeRole(role="bridge", holder="ben")).events == (
        RoleRevoked(role="bridge", holder="ben"),
    )
    assert code(venue.ask("ben", deposit)) is Code.ROLE_REQUIRED
    assert code(venue.ask("governor", GrantRole(role="emperor", holder="ben"))) is Code.UNKNOWN_SETTING
    assert code(venue.ask("governor", RevokeRole(role="bridge", holder="nobody"))) is Code.ROLE_REQUIRED
    assert code(venue.ask("governor", RevokeRole(role="governor", holder="governor"))) is Code.SETTING_IN_USE
    venue.ask("governor", GrantRole(role="governor", holder="ben"))
    assert code(venue.ask("governor", RevokeRole(role="governor", holder="governor"))) is None
    assert code(venue.ask("governor", PauseScope(target="Mint"))) is Code.ROLE_REQUIRED


def test_a_venue_is_founded_once(venue: Venue) -> None:
    """A8: nobody can found it again and become governor."""
    again = Found(identity="x", profile="x", profile_hash="x", engine_version="x", governor="ann")
    assert code(venue.ask("ann", again)) is Code.SENDER_NOT_ALLOWED


class TestMultisig:
    """A8: t of n members act as one account."""

    grant = canonical(GrantRole(role="keeper", holder="ben")).decode()

    @pytest.fixture
    def council(self, venue: Venue) -> Venue:
        """Two of three hold the governor's role."""
        venue.ask("governor", SetMultisig(name="council", members=("m1", "m2", "m3"), threshold=2))
        venue.ask("governor", GrantRole(role="governor", holder="multisig:council"))
        return venue

    def test_the_threshold_runs_the_command(self, council: Venue) -> None:
        """One approval is not enough, two are; the number of the proposal can't be used again."""
        propose = Propose(multisig="council", command=self.grant, expires=council.now + 60)
        assert [type(event).__name__ for event in council.ask("m1", propose).events] == ["Proposed", "Approved"]
        assert council.root.state.get(RoleHolder, (Role.KEEPER, "ben")) is None
        assert code(council.ask("m1", Approve(proposal=1))) is Code.ALREADY_APPROVED
        assert code(council.ask("ann", Approve(proposal=1))) is Code.NOT_A_MEMBER
        events = council.ask("m3", Approve(proposal=1)).events
        assert events[0] == Approved(number=1, member="m3", executed=True)
        assert council.root.state.get(RoleHolder, (Role.KEEPER, "ben")) is not None
        assert code(council.ask("m2", Approve(proposal=1))) is Code.UNKNOWN_PROPOSAL

    def test_a_command_that_fails_leaves_the_proposal_open(self, council: Venue) -> None:
        """The approval is refused with the command's own reason and does not count."""
        bad = canonical(GrantRole(role="emperor", holder="ben")).decode()
        council.ask("m1", Propose(multisig="council", command=bad, expires=council.now + 60))
        assert code(council.ask("m2", Approve(proposal=1))) is Code.UNKNOWN_SETTING
        assert code(council.ask("m2", Approve(proposal=1))) is Code.UNKNOWN_SETTING

    def test_approvals_of_former_members_do_not_count(self, council: Venue) -> None:
        """Membership is judged when the command would run."""
        council.ask("m1", Propose(multisig="council", command=self.grant, expires=council.now + 60))
        council.ask("governor", SetMultisig(name="council", members=("m2", "m3"), threshold=2))
        council.ask("m2", Approve(proposal=1))
        assert council.root.state.get(RoleHolder, (Role.KEEPER, "ben")) is None
        council.ask("m3", Approve(proposal=1))
        assert council.root.state.get(RoleHolder, (Role.KEEPER, "ben")) is not None

    def test_proposals_expire(self, council: Venue) -> None:
        """The last second still counts."""
        council.ask("m1", Propose(multisig="council", command=self.grant, expires=council.now + 60))
        council.now += 61
        assert code(council.ask("m2", Approve(proposal=1))) is Code.DEADLINE_PASSED

    @pytest.mark.parametrize(
        ("members", "threshold"), [((), 0), (("a",), 0), (("a",), 2), (("a", "a"), 1), (("a", "b"), 3)]
    )
    def test_impossible_multisigs_are_refused(self, venue: Venue, members: tuple[str, ...], threshold: int) -> None:
        """At least one, at most all, nobody twice."""
        command = SetMultisig(name="x", members=members, threshold=threshold)
        assert code(venue.ask("governor", command)) is Code.INVALID_SETTING

    @pytest.mark.parametrize("name", ["", "a:b"])
    def test_a_multisig_has_a_plain_name(self, venue: Venue, name: str) -> None:
        """Its account is `multisig:name`, and nothing else may look like it."""
        command = SetMultisig(name=name, members=("a",), threshold=1)
        assert code(venue.ask("governor", command)) is Code.INVALID_SETTING

    def test_nobody_speaks_for_it_alone(self, council: Venue) -> None:
        """Neither its account nor a member's own command carries its role."""
        command = GrantRole(role="keeper", holder="ben")
        assert code(council.ask("multisig:council", command)) is Code.INVALID_ACCOUNT
        assert code(council.ask("m1", command)) is Code.ROLE_REQUIRED

    def test_it_can_not_pass_a_pause_or_trade_at_known_prices(self, council: Venue) -> None:
        """What is refused to everybody is refused to a multisig."""
        council.ask("governor", SetMultisig(name="desk", members=("m1",), threshold=1))
        trade = IncreasePosition(pool="main", market="ETH", collateral="ETH", is_long=True, amount=1)
        for command, expected in ((trade, Code.ACTION_NOT_IMMEDIATE), (Faucet(token="ETH", amount=1), Code.PAUSED)):
            council.ask("guardian", PauseScope(target="Faucet"))
            text = canonical(command).decode()
            propose = Propose(multisig="desk", command=text, expires=council.now)
            assert code(council.ask("m1", propose)) is expected

    @pytest.mark.parametrize(("links", "expected"), [(8, None), (400, Code.NESTED_TOO_DEEP)])
    def test_multisigs_that_are_members_of_each_other_end(
        self, venue: Venue, links: int, expected: Code | None
    ) -> None:
        """One approval sets off the next, as far as the bound; what would go beyond is refused whole."""
        for name, other in (("left", "right"), ("right", "left")):
            members = ("m1", "m2", f"multisig:{other}")
            assert code(venue.ask("governor", SetMultisig(name=name, members=members, threshold=2))) is None
        pause = canonical(PauseScope(target="Faucet")).decode()
        venue.ask("governor", GrantRole(role="guardian", holder="multisig:left"))
        text, number = pause, 0
        for link in range(links):
            name = "left" if link % 2 == 0 else "right"
            proposed = venue.ask("m1", Propose(multisig=name, command=text, expires=venue.now))
            number = next(event.number for event in proposed.events if hasattr(event, "number"))
            text = canonical(Approve(proposal=number)).decode()
        receipt = venue.ask("m2", Approve(proposal=number))
        assert code(receipt) is expected
        assert (Paused(scope="Faucet") in receipt.events) is (expected is None)


def test_another_fee_token_leaves_open_orders_whole(venue: Venue) -> None:
    """A8, E9: an order gives back the fee it was placed with, whatever fees are paid in meanwhile."""
    before = venue.held("ann", "ETH")
    burn = canonical(Burn(pool="main", token="ETH", shares=ETHER)).decode()
    venue.ask("ann", PlaceOrder(action=burn, fee=ETHER, resting=True))
    change = SetParameter(leaf="OrderSettings", key="[]", field="fee_token", value='"USDC"')
    assert code(venue.ask("governor", change)) is None
    assert code(venue.ask("ann", CancelOrder(number=1))) is None
    assert venue.held("ann", "ETH") == before
    assert venue.faults() == []


class TestPause:
    """A8, A7: guardians stop what adds risk, never what reduces it."""

    def test_a_general_pause_leaves_the_way_out_open(self, venue: Venue) -> None:
        """Burning and governing go on; minting does not; only the governor resumes."""
        assert venue.ask("guardian", PauseScope(target="*")).events == (Paused(scope="*"),)
        assert code(venue.ask("ann", Mint(pool="main", token="ETH", amount=ETHER))) is Code.PAUSED
        assert code(venue.ask("ann", Transfer(token="ETH", to="ben", amount=1))) is Code.PAUSED
        assert code(venue.ask("ann", Burn(pool="main", token="ETH", shares=ETHER))) is None
        assert code(venue.ask("guardian", ResumeScope(target="*"))) is Code.ROLE_REQUIRED
        assert venue.ask("governor", ResumeScope(target="*")).events == (Resumed(scope="*"),)
        assert code(venue.ask("ann", Mint(pool="main", token="ETH", amount=ETHER))) is None

    def test_one_command_can_be_stopped(self, venue: Venue) -> None:
        """Also one that reduces risk, when it is the broken one."""
        venue.ask("guardian", PauseScope(target="Burn"))
        assert code(venue.ask("ann", Burn(pool="main", token="ETH", shares=ETHER))) is Code.PAUSED
        assert code(venue.ask("ann", Mint(pool="main", token="ETH", amount=ETHER))) is None
        assert code(venue.ask("governor", ResumeScope(target="Mint"))) is Code.UNKNOWN_SETTING

    def test_an_order_does_not_slip_through(self, venue: Venue) -> None:
        """What a paused order carries stays in it."""
        action = IncreasePosition(
            pool="main", market="ETH", collateral="ETH", is_long=True, amount=ETHER, size_delta=9_000 * 10**30
        )
        venue.ask("ann", PlaceOrder(action=canonical(action).decode(), fee=ETHER))
        venue.post()
        venue.ask("guardian", PauseScope(target="*"))
        assert code(venue.ask("keeper", ExecuteOrder(number=1))) is Code.PAUSED
        venue.ask("governor", ResumeScope(target="*"))
        assert code(venue.ask("keeper", ExecuteOrder(number=1))) is None

    def test_only_guardians_and_governors_pause(self, venue: Venue) -> None:
        """A keeper does not."""
        assert code(venue.ask("keeper", PauseScope(target="*"))) is Code.ROLE_REQUIRED
        assert code(venue.ask("governor", PauseScope(target="*"))) is None


class TestAgents:
    """A8: another key may sign, for some scopes, until a time; it can't take money out."""

    @pytest.fixture
    def agent(self, venue: Venue) -> Venue:
        """`key` may trade for ann for a minute."""
        venue.ask("ann", ApproveAgent(agent="key", scopes=("trade", "liquidity"), expires=venue.now + 60))
        return venue

    def test_scope_and_expiry(self, agent: Venue) -> None:
        """Trading passes, transfers and governing do not, and nothing after the last second."""
        swap = Swap(pool="main", path=("ETH", "ETH"), amount=1)
        assert code(signed(agent, swap)) is Code.SAME_TOKEN
        assert code(signed(agent, Transfer(token="ETH", to="key", amount=1))) is Code.AGENT_OUT_OF_SCOPE
        assert code(signed(agent, ApproveAgent(agent="x", scopes=("trade",), expires=2**40))) is Code.AGENT_OUT_OF_SCOPE
        assert code(signed(agent, swap, signer="other")) is Code.AGENT_NOT_APPROVED
        assert code(signed(agent, swap, account="ben")) is Code.AGENT_NOT_APPROVED
        agent.now += 60
        assert code(signed(agent, swap)) is Code.SAME_TOKEN
        agent.now += 1
        assert code(signed(agent, swap)) is Code.AGENT_EXPIRED

    def test_proceeds_go_to_nobody_else(self, agent: Venue) -> None:
        """Not directly, and not by an order that carries the action."""
        away = Burn(pool="main", token="ETH", shares=ETHER, to="key")
        home = replace(away, to="ann")
        assert code(signed(agent, away)) is Code.AGENT_OUT_OF_SCOPE
        order = PlaceOrder(action=canonical(away).decode(), fee=ETHER)
        assert code(signed(agent, order)) is Code.AGENT_OUT_OF_SCOPE
        assert code(signed(agent, PlaceOrder(action=canonical(home).decode(), fee=ETHER))) is None
        assert code(signed(agent, home)) is None
        agent.ask("ann", ApproveAgent(agent="key", scopes=("liquidity", "transfer"), expires=agent.now + 60))
        assert code(signed(agent, away)) is None

    def test_an_order_needs_the_scope_of_what_it_carries(self, agent: Venue) -> None:
        """A key that may only trade does not mint by an order."""
        agent.ask("ann", ApproveAgent(agent="key", scopes=("trade",), expires=agent.now + 60))
        mint = canonical(Mint(pool="main", token="ETH", amount=ETHER)).decode()
        assert code(signed(agent, PlaceOrder(action=mint, fee=ETHER))) is Code.AGENT_OUT_OF_SCOPE

    def test_approval_ends_when_withdrawn(self, agent: Venue) -> None:
        """And can be withdrawn once."""
        assert code(agent.ask("ann", RevokeAgent(agent="key"))) is None
        assert code(agent.ask("ann", RevokeAgent(agent="key"))) is Code.AGENT_NOT_APPROVED
        assert code(signed(agent, Swap(pool="main", path=("ETH", "ETH"), amount=1))) is Code.AGENT_NOT_APPROVED

    @pytest.mark.parametrize("scopes", [(), ("govern",), ("trade", "nothing")])
    def test_what_governs_can_not_be_passed_on(self, venue: Venue, scopes: tuple[str, ...]) -> None:
        """Scopes are of a fixed list without govern."""
        command = ApproveAgent(agent="key", scopes=scopes, expires=venue.now + 60)
        assert code(venue.ask("ann", command)) is Code.INVALID_SETTING


class TestNonces:
    """A2: a signed command counts once."""

    swap = Transfer(token="ETH", to="ben", amount=1)

    def test_a_nonce_counts_once_and_only_when_accepted(self, venue: Venue) -> None:
        """A rejected command has not used its nonce; an accepted one has."""
        nonce = venue.now * 1_000
        bad = Transfer(token="ETH", to="ben", amount=10**40)
        assert code(signed(venue, bad, "", nonce)) is Code.INSUFFICIENT_BALANCE
        assert code(signed(venue, self.swap, "", nonce)) is None
        assert code(signed(venue, self.swap, "", nonce)) is Code.NONCE_USED
        assert code(signed(venue, self.swap, "", nonce - 1)) is None

    def test_the_window(self, venue: Venue) -> None:
        """Two days back, one day ahead, both ends included."""
        now, day = venue.now * 1_000, 86_400_000
        assert code(signed(venue, self.swap, "", now - 2 * day - 1)) is Code.NONCE_OUT_OF_WINDOW
        assert code(signed(venue, self.swap, "", now - 2 * day)) is None
        assert code(signed(venue, self.swap, "", now + day + 1)) is Code.NONCE_OUT_OF_WINDOW
        assert code(signed(venue, self.swap, "", now + day)) is None

    def test_forgotten_nonces_can_not_come_back(self, venue: Venue) -> None:
        """Only so many are kept; whatever is below the lowest kept is refused."""
        first = venue.now * 1_000
        for nonce in range(first, first + 70):
            assert code(signed(venue, self.swap, "", nonce)) is None
        kept = venue.root.state.get(Nonces, ("ann",))
        assert kept is not None
        assert len(kept.used) == 64
        for nonce in range(first, first + 6):
            assert code(signed(venue, self.swap, "", nonce)) is Code.NONCE_OUT_OF_WINDOW
        for nonce in range(first + 6, first + 70):
            assert code(signed(venue, self.swap, "", nonce)) is Code.NONCE_USED


def doubled_faucet(draft: Draft, command: Faucet) -> None:
    """The second version of a branch: twice what was asked."""
    ledger.issue(draft, command.token, draft.sender, 2 * command.amount)


def doubled_balance(draft: Draft, old_version: int) -> None:
    """Its migration: ann gets a gift for every version passed."""
    ledger.issue(draft, "ZLP.debt", "ann", old_version)


@pytest.fixture
def catalogue(venue: Venue) -> Iterator[None]:
    """Branches only for this test; registered after genesis, which takes the newest version of each."""
    found = [
        Branch(name="gift", version=1, summary="one", handlers={}),
        Branch(name="gift", version=2, summary="two", handlers={}, migrate=doubled_balance),
        Branch(name="thief", version=1, summary="takes Faucet", handlers={Faucet: doubled_faucet}),
        Branch(name="custody", version=2, summary="without a faucet", handlers={}),
    ]
    for branch in found:
        CATALOGUE[branch.name, branch.version] = branch
    yield
    for branch in found:
        del CATALOGUE[branch.name, branch.version]


@pytest.mark.usefixtures("catalogue")
class TestTree:
    """Z1, A8: branches come, change with their state, and go, while the venue runs; replay crosses it."""

    def cut(self, venue: Venue, *cuts: tuple[str, str, int], by: str = "governor") -> Receipt:
        """One upgrade."""
        items = tuple(BranchCut(action=action, branch=branch, version=version) for action, branch, version in cuts)
        return venue.ask(by, UpgradeBranches(cuts=items))

    def test_add_replace_with_migration_remove(self, venue: Venue) -> None:
        """Each cut is recorded with its versions, the migration runs once, and the log replays to the same digest."""
        assert self.cut(venue, ("add", "gift", 1)).events == (
            BranchChanged(action="add", branch="gift", old_version=0, new_version=1),
        )
        receipt = self.cut(venue, ("replace", "gift", 2))
        assert receipt.events[-1] == BranchChanged(action="replace", branch="gift", old_version=1, new_version=2)
        assert venue.held("ann", "ZLP.debt") == 1
        self.cut(venue, ("remove", "gift", 2))
        assert venue.root.state.get(Installed, ("gift",)) is None
        assert venue.faults() == []
        venue.require_repeatable()

    def test_routes_follow_the_tree(self, venue: Venue) -> None:
        """A command of a removed branch is unknown; its successor answers in its place."""
        faucet = Faucet(token="ETH", amount=1)
        assert code(venue.ask("ann", faucet)) is Code.FAUCET_CLOSED
        assert code(self.cut(venue, ("replace", "custody", 2), ("add", "thief", 1))) is None
        held = venue.held("ann", "ETH")
        assert code(venue.root.apply(Envelope(time=venue.now, account="ann", command=faucet))) is None
        assert venue.held("ann", "ETH") == held + 2
        assert code(venue.ask("ann", Transfer(token="ETH", to="ben", amount=1))) is Code.UNKNOWN_COMMAND
        restored = Root.restore(venue.root.snapshot())
        quote = restored.quote(Envelope(time=venue.now, account="ann", command=faucet))
        assert quote.receipt.accepted

    @pytest.mark.parametrize(
        ("cut", "expected"),
        [
            (("add", "custody", 1), Code.BRANCH_EXISTS),
            (("add", "nothing", 1), Code.UNKNOWN_BRANCH),
            (("add", "gift", 3), Code.UNKNOWN_BRANCH),
            (("replace", "gift", 2), Code.UNKNOWN_BRANCH),
            (("replace", "custody", 1), Code.BRANCH_EXISTS),
            (("replace", "custody", 7), Code.UNKNOWN_BRANCH),
            (("remove", "gift", 1), Code.UNKNOWN_BRANCH),
            (("remove", "custody", 2), Code.UNKNOWN_BRANCH),
            (("remove", "governance", 1), Code.BRANCH_REQUIRED),
            (("replace", "governance", 2), Code.BRANCH_REQUIRED),
            (("add", "thief", 1), Code.BRANCH_CONFLICT),
            (("prune", "custody", 1), Code.UNKNOWN_BRANCH),
        ],
    )
    def test_impossible_cuts_are_refused(self, venue: Venue, cut: tuple[str, str, int], expected: Code) -> None:
        """Each with its own reason; and nothing of a list of cuts is done when one of them can't be."""
        assert code(self.cut(venue, cut)) is expected
        if cut[1] != "gift":
            assert code(self.cut(venue, ("add", "gift", 1), cut)) is expected
        assert venue.root.state.get(Installed, ("gift",)) is None

    def test_only_the_governor_cuts(self, venue: Venue) -> None:
        """The guardian does not."""
        assert code(self.cut(venue, ("add", "gift", 1), by="guardian")) is Code.ROLE_REQUIRED
