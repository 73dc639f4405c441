"""Errors as people and programs read them: problem+json with a stable code, the limit and the actual value."""

from __future__ import annotations

from typing import Any

import msgspec

from zlp.engine import Code, Rejection
from zlp.node import ClientIdReused, NodeDown, NodeFull, NotAdmitted
from zlp.signing import SignatureRefused

MEDIA_TYPE = b"application/problem+json"

SERVER_CODES: dict[str, tuple[int, str]] = {
    "malformed_request": (400, "the request is not what this endpoint takes"),
    "account_malformed": (400, "an account is 0x and 40 hexadecimal digits"),
    "nonce_missing": (400, "a signed intent needs a nonce: the current time in milliseconds"),
    "deadline_missing": (400, "a signed intent needs a deadline: the last second at which it may be applied"),
    "deadline_too_far": (400, "the deadline is further ahead than this venue accepts"),
    "too_many_commands": (400, "an intent carries fewer commands"),
    "signature_malformed": (401, "the signature is not a 65 byte secp256k1 signature"),
    "signature_malleable": (401, "the signature has the upper s; sign with the lower one"),
    "not_found": (404, "there is nothing here"),
    "method_not_allowed": (405, "this path takes another method"),
    "request_timeout": (408, "the request took too long to arrive"),
    "client_id_reused": (409, "this client id or nonce came before with other commands"),
    "compacted": (410, "this part of the log was compacted away"),
    "body_too_large": (413, "the body is larger than this endpoint takes"),
    "unsupported_media_type": (415, "send application/json"),
    "too_many_requests": (429, "too many requests from this address"),
    "too_many_account_commands": (429, "too many commands of this account"),
    "internal_error": (500, "the server is at fault; its log says more"),
    "overloaded": (503, "too many commands wait; try again shortly"),
    "unavailable": (503, "the venue takes no commands now"),
}
"""Codes that the server adds to the engine's: status and title."""

REJECTION_STATUS: dict[Code, int] = {
    Code.MALFORMED_COMMAND: 400,
    Code.AMOUNT_OUT_OF_RANGE: 400,
    Code.UNKNOWN_COMMAND: 400,
    Code.AGENT_NOT_APPROVED: 401,
    Code.AGENT_EXPIRED: 401,
    Code.AGENT_OUT_OF_SCOPE: 403,
    Code.ROLE_REQUIRED: 403,
    Code.SENDER_NOT_ALLOWED: 403,
    Code.NONCE_USED: 409,
    Code.NONCE_OUT_OF_WINDOW: 409,
    Code.DEADLINE_PASSED: 409,
}
OTHER_REJECTIONS = 422


class Problem(Exception):  # noqa: N818 - named by what it is on the wire
    """Raised while a request is handled; answered as problem+json."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        limit: int | None = None,
        actual: int | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(code)
        self.code, self.detail, self.limit, self.actual, self.headers = code, detail, limit, actual, headers

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return SERVER_CODES[self.code][0]

    def body(self) -> bytes:
        """Its problem+json."""
        status, title = SERVER_CODES[self.code]
        return problem_body(self.code, status, title, self.detail, self.limit, self.actual)


def problem_body(
    code: str, status: int, title: str, detail: str, limit: int | None, actual: int | None, **more: Any
) -> bytes:
    """The members of a problem; integers as decimal text."""
    members: dict[str, Any] = {"type": f"/docs#problem-{code}", "title": title, "status": status, "code": code}
    if detail:
        members["detail"] = detail
    if limit is not None:
        members["limit"] = str(limit)
    if actual is not None:
        members["actual"] = str(actual)
    return msgspec.json.encode({**members, **more})


def rejection_status(rejection: Rejection) -> int:
    """The HTTP status of an engine rejection."""
    return REJECTION_STATUS.get(rejection.code, OTHER_REJECTIONS)


def rejection_body(rejection: Rejection, **more: Any) -> bytes:
    """An engine rejection as problem+json."""
    title = rejection.code.value.replace("_", " ")
    detail = rejection.detail
    if rejection.code is Code.AGENT_NOT_APPROVED:
        signer, _, account = detail.partition(" for ")
        detail = f"the signature is by {signer}, which is not an approved agent of {account}"
    return problem_body(
        rejection.code.value, rejection_status(rejection), title, detail, rejection.limit, rejection.actual, **more
    )


def answer_for(fault: Exception) -> tuple[int, bytes, tuple[tuple[bytes, bytes], ...]]:
    """Status, body and extra headers for what can go wrong on the way to the engine; re-raises the rest."""
    if isinstance(fault, Problem):
        return fault.status, fault.body(), fault.headers
    if isinstance(fault, NotAdmitted):
        return rejection_status(fault.rejection), rejection_body(fault.rejection), ()
    if isinstance(fault, SignatureRefused):
        problem = Problem(fault.code, str(fault))
    elif isinstance(fault, ClientIdReused):
        problem = Problem("client_id_reused", actual=fault.sequence)
    elif isinstance(fault, NodeFull):
        problem = Problem("overloaded", headers=((b"retry-after", b"1"),))
    elif isinstance(fault, NodeDown):
        problem = Problem("unavailable", str(fault), headers=((b"retry-after", b"5"),))
    else:
        raise fault
    return problem.status, problem.body(), problem.headers
