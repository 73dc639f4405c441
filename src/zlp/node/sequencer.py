"""From a submission to records: stamp, admit, apply. No waiting and no disk here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from zlp.engine import Code, Envelope, Root, access
from zlp.engine.codec import wire
from zlp.engine.draft import Draft
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
        if not submission.local:
            self._admit(submission, now)
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
            receipt = self.root.apply(envelope)
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

    def _admit(self, submission: Submission, now: int) -> None:
        """Run the engine's own admission on a scratch draft, for what must not enter the journal."""
        draft = Draft(
            self.root.state,
            time=now,
            sender=submission.account,
            sequence=self.root.sequence + 1,
            route=_nowhere,
        )
        envelope = Envelope(
            time=now,
            account=submission.account,
            command=submission.commands[0],
            signer=submission.signer,
            nonce=submission.nonce,
            deadline=submission.deadline,
        )
        try:
            access.admit(draft, envelope)
        except Reject as refused:
            if refused.rejection.code in NOT_SEQUENCED:
                raise NotAdmitted(refused.rejection) from None


def _nowhere(draft: Draft, command: object) -> None:
    """Admission routes nothing."""


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
