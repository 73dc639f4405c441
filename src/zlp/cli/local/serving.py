"""The doors of a local venue: API, streams, read model and page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zlp.node.node import Node
from zlp.projections import url_in
from zlp.server.app import VenueApp
from zlp.server.history import History
from zlp.server.limits import Limits
from zlp.server.page import page_routes
from zlp.server.serve import VenueServer

GENEROUS = 2_000
"""Requests and commands a second: a local venue serves its own page, bots and tests from one address."""


def server_of(node: Node, folder: Path, *, host: str, port: int, demo: bool) -> VenueServer:
    """The server, not yet listening."""
    limits = replace(
        Limits(),
        address_per_second=GENEROUS,
        address_burst=GENEROUS,
        account_per_second=GENEROUS,
        account_burst=GENEROUS,
    )
    history = History(node, url_in(folder))
    return VenueServer(
        VenueApp(node, limits=limits, history=history, mounts=page_routes(demo=demo)), host=host, port=port
    )
