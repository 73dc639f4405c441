"""The node: one process that sequences commands, applies them, makes them durable, and only then tells anybody."""

from zlp.node.facts import Fact, Submission
from zlp.node.faults import ClientIdReused, NodeDown, NodeFull, NotAdmitted, PastGone
from zlp.node.feed import Feed
from zlp.node.node import Node, NodeSettings
from zlp.node.opening import open_node

__all__ = [
    "ClientIdReused",
    "Fact",
    "Feed",
    "Node",
    "NodeDown",
    "NodeFull",
    "NodeSettings",
    "NotAdmitted",
    "PastGone",
    "Submission",
    "open_node",
]
