"""The Python client: sign locally, send, read, follow. Plain (``Client``) and asynchronous (``AsyncClient``)."""

from zlp.client.asynchronous import AsyncClient
from zlp.client.faults import OrderEnded, Refused, Unreachable, VenueError
from zlp.client.plain import Client
from zlp.client.records import AccountState, Balance, Message, Price, Quote, Receipt, Token, VenueInfo
from zlp.client.signer import Signer

__all__ = [
    "AccountState",
    "AsyncClient",
    "Balance",
    "Client",
    "Message",
    "OrderEnded",
    "Price",
    "Quote",
    "Receipt",
    "Refused",
    "Signer",
    "Token",
    "Unreachable",
    "VenueError",
    "VenueInfo",
]
