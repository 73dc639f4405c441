"""CreditBranch: vaults lend credit to markets, profits become debt, debt is shared and settled (Z3, Z4, Z5, Z9)."""

from __future__ import annotations

from zlp.engine.branches.base import Branch
from zlp.engine.branches.credit import settlement
from zlp.engine.branches.credit.audit import audit
from zlp.engine.branches.credit.vaults import recalculate, vault_settings
from zlp.engine.commands import credit as commands
from zlp.engine.draft import Draft


def refresh_vaults(draft: Draft, command: commands.RefreshVaults) -> None:
    """Anyone may bring vaults up to date, one after the other."""
    for vault in command.vaults:
        recalculate(draft, vault_settings(draft, vault))


BRANCH = Branch(
    name="credit",
    version=1,
    summary="credit delegation, debt distribution, settlement and rebalancing of vaults",
    handlers={
        commands.RefreshVaults: refresh_vaults,
        commands.ConvertDeposits: settlement.convert_deposits,
        commands.SettleVaultDebt: settlement.settle_vault_debt,
        commands.RebalanceVaults: settlement.rebalance_vaults,
    },
    audit=audit,
)
