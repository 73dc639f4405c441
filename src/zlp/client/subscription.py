"""The state of one subscription across reconnections, without any socket."""

from __future__ import annotations

import msgspec

from zlp.client import records
from zlp.client.faults import Refused
from zlp.client.records import Message
from zlp.engine.codec import decode_event

FIRST_WAIT, LONGEST_WAIT = 0.1, 10.0


class Subscription:
    """Remembers the last sequence seen, so that each connection goes on where the last one broke."""

    def __init__(self, channel: str, name: str, from_sequence: int | None) -> None:
        self.channel, self.name = channel, name
        self.sequence = from_sequence
        self.wait = FIRST_WAIT

    def request(self) -> str:
        """What to send on a new connection."""
        ask = {"op": "subscribe", "channel": self.channel, "id": self.name}
        if self.sequence is not None:
            ask["from_seq"] = str(self.sequence)
        return msgspec.json.encode(ask).decode()

    def receive(self, text: str | bytes) -> Message | None:
        """A message for the user, or ``None``. Raises ``Refused`` if the venue will not have it."""
        said = msgspec.json.decode(text)
        self.wait = FIRST_WAIT
        if said["op"] == "error":
            if said["code"] == "compacted" and self.sequence is not None:
                self.sequence = None  # the next connection starts from a snapshot
                raise ConnectionError(said["detail"])
            raise Refused(400, said)
        if said["op"] == "subscribed" and "from_seq" not in said:
            self.sequence = int(said["seq"])
            return Message(self.channel, self.name, self.sequence, True, said["snapshot"])
        if said["op"] != "event":
            return None
        self.sequence = int(said["seq"])
        data = said["data"]
        typed = (
            records.receipt(data)
            if isinstance(data, dict)
            else tuple(decode_event(msgspec.json.encode(event)) for event in data)
        )
        return Message(self.channel, self.name, self.sequence, False, typed)

    def next_wait(self) -> float:
        """Seconds to wait before the next connection: longer each time in vain."""
        now, self.wait = self.wait, min(self.wait * 2, LONGEST_WAIT)
        return now


def stream_address(base_url: str) -> str:
    """The WebSocket's address of a venue."""
    return "ws" + base_url.removeprefix("http").rstrip("/") + "/v1/stream"
