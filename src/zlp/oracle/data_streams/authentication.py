"""Headers that authenticate a request to Data Streams: HMAC-SHA256 over method, path, body, user and time."""

import hashlib
import hmac

import msgspec


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user's id (a UUID) and secret, as Chainlink gives them."""

    user_id: str
    secret: str

    def __repr__(self) -> str:
        return f"Credentials(user_id={self.user_id!r}, secret=...)"

    def headers(self, method: str, path: str, now_ms: int, body: bytes = b"") -> dict[str, str]:
        """Sign one request; `path` includes the query exactly as it is sent."""
        content = hashlib.sha256(body).hexdigest()
        text = f"{method} {path} {content} {self.user_id} {now_ms}"
        return {
            "Authorization": self.user_id,
            "X-Authorization-Timestamp": str(now_ms),
            "X-Authorization-Signature-SHA256": hmac.new(
                self.secret.encode(), text.encode(), hashlib.sha256
            ).hexdigest(),
        }
