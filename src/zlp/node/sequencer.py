"""From a submission to records: stamp, admit, apply. No waiting and no disk here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from zlp.engine import Code, Envelope, Root
from zlp.engine.codec import wire
from zlp.engine.rejections import Reject
from zlp.journal import Evidence, Record
from zlp.journal.record import envelope_text, evidence_text
from zlp.node.facts import Fact, Submission
from zlp.node.faults import NotAdmitted

NOT_SEQUENCED = frozenset(
    {
        Code.DEADLINE_PASSED,
        Code.NONCE_USED,
        Code.NONCE_OUT_OF_WINDOW,
        Code.AGENT_NOT_APPROVED,
        Code.AGENT_EXPIRED,
    }
)
"""Refusals that say nothing about the venue: strangers could fill the journal with them."""
SECOND = 1_000_000_000


class Sequenced(NamedTuple):
    """One applied command: what is published, and what is journalled."""

    fact: Fact
    record: Record


class Sequencer:
    """Gives each command its place and its time, and applies it to the root."""

    def __init__(self, root: Root, clock: Callable[[], int]) -> None:
        self.root = root
        self.clock = clock
        self._newest_ns = root.time * SECOND

    def take(self, submission: Submission) -> list[Sequenced]:
        """Apply a submission's commands one after another. Raises ``NotAdmitted`` before anything is applied.

        The nonce goes with the first command of the intent that is accepted: then it is used, whatever became
        of the others. ``InvariantBroken`` passes through; the caller must stop.
        """
        self._newest_ns = now_ns = max(self.clock(), self._newest_ns)
        now = max(now_ns // SECOND, self.root.time)
        first, nonce = self.root.sequence + 1, submission.nonce
        done: list[Sequenced] = []
        for index, (command, text) in enumerate(zip(submission.commands, submission.texts, strict=True)):
            envelope = Envelope(
                time=now,
                account=submission.account,
                command=command,
                signer=submission.signer,
                nonce=nonce,
                deadline=submission.deadline,
            )
            turned_away = NOT_SEQUENCED if index == 0 and not submission.local else frozenset()
            try:
                receipt = self.root.apply(envelope, turned_away=turned_away)
            except Reject as refused:
                raise NotAdmitted(refused.rejection) from None
            if receipt.rejection is None:
                nonce = 0
            body = wire(receipt)
            evidence = _evidence(submission) if index == 0 else _continued(submission, first)
            record = Record(
                receipt.sequence,
                now_ns,
                envelope_text(envelope, text),
                evidence_text(evidence),
                receipt.digest,
                body,
                submission.key if index == 0 else b"",
            )
            done.append(Sequenced(Fact(receipt.sequence, now_ns, submission.account, command, receipt, body), record))
        return done


def _evidence(submission: Submission) -> Evidence:
    if submission.local:
        return Evidence(local=submission.local)
    return Evidence(
        signature="0x" + submission.signature.hex(),
        nonce=str(submission.nonce),
        deadline=str(submission.deadline),
        client_id=submission.client_id,
        count=len(submission.commands),
    )


def _continued(submission: Submission, first: int) -> Evidence:
    return Evidence(local=submission.local) if submission.local else Evidence(intent=first)
