"""Changing the tree while the venue runs: add, replace or remove branches (Z1, A8)."""

from __future__ import annotations

from zlp.engine.access import require_role
from zlp.engine.branches.base import Branch
from zlp.engine.branches.catalogue import CATALOGUE
from zlp.engine.commands.base import Command
from zlp.engine.commands.governance import BranchCut, UpgradeBranches
from zlp.engine.draft import Draft
from zlp.engine.events.governance import BranchChanged
from zlp.engine.leaves.access import Installed, Role
from zlp.engine.rejections import Code, Reject

IMMUTABLE = "governance"


def upgrade(draft: Draft, command: UpgradeBranches) -> None:
    """Apply every cut, then refuse a tree in which two branches handle the same command."""
    require_role(draft, Role.GOVERNOR)
    for cut in command.cuts:
        if cut.branch == IMMUTABLE:
            raise Reject(Code.BRANCH_REQUIRED, detail=IMMUTABLE)
        current = draft.get(Installed, (cut.branch,))
        if cut.action == "add":
            _add(draft, cut, current)
        elif cut.action == "replace":
            _replace(draft, cut, current)
        elif cut.action == "remove":
            _remove(draft, cut, current)
        else:
            raise Reject(Code.UNKNOWN_BRANCH, detail=f"action {cut.action}")
    _check_conflicts(draft)


def _branch(cut: BranchCut) -> Branch:
    found = CATALOGUE.get((cut.branch, cut.version))
    if found is None:
        raise Reject(Code.UNKNOWN_BRANCH, actual=cut.version, detail=cut.branch)
    return found


def _add(draft: Draft, cut: BranchCut, current: Installed | None) -> None:
    if current is not None:
        raise Reject(Code.BRANCH_EXISTS, actual=current.version, detail=cut.branch)
    _branch(cut)
    draft.put(Installed(cut.branch, cut.version))
    _record(draft, cut, 0, cut.version)


def _replace(draft: Draft, cut: BranchCut, current: Installed | None) -> None:
    if current is None:
        raise Reject(Code.UNKNOWN_BRANCH, detail=cut.branch)
    if current.version == cut.version:
        raise Reject(Code.BRANCH_EXISTS, actual=cut.version, detail=cut.branch)
    successor = _branch(cut)
    draft.put(Installed(cut.branch, cut.version))
    if successor.migrate is not None:
        successor.migrate(draft, current.version)
    _record(draft, cut, current.version, cut.version)


def _remove(draft: Draft, cut: BranchCut, current: Installed | None) -> None:
    if current is None or current.version != cut.version:
        raise Reject(Code.UNKNOWN_BRANCH, actual=cut.version, detail=cut.branch)
    draft.drop(current)
    _record(draft, cut, current.version, 0)


def _record(draft: Draft, cut: BranchCut, old: int, new: int) -> None:
    draft.record(BranchChanged(action=cut.action, branch=cut.branch, old_version=old, new_version=new))


def _check_conflicts(draft: Draft) -> None:
    owner: dict[type[Command], str] = {}
    for installed in draft.each(Installed):
        for kind in CATALOGUE[installed.branch, installed.version].handlers:
            if owner.setdefault(kind, installed.branch) != installed.branch:
                raise Reject(Code.BRANCH_CONFLICT, detail=f"{owner[kind]} and {installed.branch}: {kind.__name__}")
