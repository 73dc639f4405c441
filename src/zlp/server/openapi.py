"""The API's description (OpenAPI 3.1), made from the same structs that decode the requests."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from zlp.engine import Rejection
from zlp.engine.commands import COMMANDS
from zlp.engine.events import KINDS as EVENTS
from zlp.engine.version import VERSION
from zlp.server.desk_reads import UnsignedCommands
from zlp.server.examples import ANSWERS, BODIES, IN_PATH, IN_QUERY
from zlp.server.intake import SignedCommand, SignedCommands, UnsignedCommand
from zlp.server.problems import SERVER_CODES
from zlp.server.reads import QUERY, Read
from zlp.server.signed_orders import HandedIn

REF = "#/components/schemas/{name}"
UNSIGNED = {"type": "string", "pattern": "^[0-9]{1,78}$", "description": "an integer as decimal text"}
SIGNED = {"type": "string", "pattern": "^-?[0-9]{1,78}$", "description": "a signed integer as decimal text"}
DESCRIPTION = """Amounts in commands are integers in a token's own decimals, prices are USD at 1e30 per whole token;
all integers are decimal text. Commands are signed (EIP-712); `/v1/venue` says how. Every answer and every message of
`/v1/stream` (WebSocket) names the sequence of the log it belongs to. Errors are problem+json with a stable code."""

POSTS: tuple[tuple[str, str, type, str, str], ...] = (
    ("/v1/command", "sign and send a command", SignedCommand, "Receipt", "commands"),
    ("/v1/commands", "sign and send many commands under one signature", SignedCommands, "Receipts", "commands"),
    ("/v1/quote", "what a command would do", UnsignedCommand, "Quote", "commands"),
    ("/v1/desk/quote", "what commands would do, one after the other", UnsignedCommands, "DeskQuote", "desk"),
    ("/v1/auth/check", "who signed this, and may they", SignedCommand, "Signer", "commands"),
    ("/v1/signed-orders", "hand in an order that was signed away from the venue", HandedIn, "Held", "orders"),
)
"""Path, summary, body, answer and tag."""
PROBES = (
    ("/v1/snapshot", "the whole state at one sequence, a few seconds old at most", "log"),
    ("/health", "is the process well", "venue"),
    ("/ready", "does the venue take commands", "venue"),
)
"""Path, summary and tag."""


def document(reads: Iterable[Read]) -> dict[str, Any]:
    """The whole document; ``reads`` are the GET routes."""
    paths: dict[str, Any] = {each[0]: _post(*each) for each in POSTS}
    paths |= {each[0]: _plain(*each) for each in PROBES}
    for read in reads:
        paths.setdefault(read.path, {}).update(_get(read))
    return {
        "openapi": "3.1.0",
        "info": {"title": "ZLP venue", "version": VERSION, "description": DESCRIPTION},
        "paths": paths,
        "components": {"schemas": _schemas()},
    }


def _schemas() -> dict[str, Any]:
    bodies = (SignedCommand, SignedCommands, UnsignedCommand, UnsignedCommands, HandedIn)
    kinds = (*COMMANDS.values(), *EVENTS, Rejection, *bodies)
    _, found = msgspec.json.schema_components(kinds, ref_template=REF)
    schemas = {name: _texts(schema) for name, schema in found.items()}
    schemas["Command"] = _one_of(COMMANDS)
    schemas["Event"] = _one_of([kind.__name__ for kind in EVENTS])
    schemas["Receipt"] = _object(
        sequence=UNSIGNED,
        time=UNSIGNED,
        events={"type": "array", "items": _ref("Event")},
        rejection={"anyOf": [{"type": "null"}, _ref("Rejection")]},
        digest={"type": "string"},
    )
    schemas["Receipts"] = _object(receipts={"type": "array", "items": _ref("Receipt")})
    schemas["Quote"] = _object(
        sequence=UNSIGNED,
        accepted={"type": "boolean"},
        receipt=_ref("Receipt"),
        balances_after={"type": "array", "items": {"type": "object"}},
    )
    schemas["DeskQuote"] = _object(
        sequence=UNSIGNED,
        accepted={"type": "boolean"},
        rejection={"anyOf": [{"type": "null"}, _ref("Rejection")]},
        events={"type": "array", "items": _ref("Event")},
        balances={"type": "array", "items": {"type": "object"}},
        positions={"type": "array", "items": {"type": "object"}},
        pools={"type": "array", "items": {"type": "object"}},
    )
    schemas["Held"] = _object(
        sequence=UNSIGNED, digest={"type": "string"}, owner={"type": "string"}, signer={"type": "string"}
    )
    schemas["Signer"] = _object(
        account={"type": "string"},
        signer={"type": "string"},
        relation={"enum": ["account", "agent", "none"]},
        scopes={"type": "array", "items": {"type": "string"}},
        expires=UNSIGNED,
    )
    schemas["Problem"] = _problem()
    for name in ("SignedCommand", "UnsignedCommand"):
        schemas[name]["properties"]["command"] = _ref("Command")
    for name in ("SignedCommands", "UnsignedCommands"):
        schemas[name]["properties"]["commands"] = {"type": "array", "minItems": 1, "items": _ref("Command")}
    for name in ("trading_account", "target_price", "expires"):
        schemas["HandedIn"]["properties"][name] |= UNSIGNED
    schemas["HandedIn"]["properties"]["size_delta"] |= SIGNED
    for name in ("SignedCommand", "SignedCommands", "UnsignedCommand", "UnsignedCommands", "HandedIn"):
        _patterns(schemas[name]["properties"])
    return schemas


def _patterns(properties: dict[str, Any]) -> None:
    patterns = {
        "account": "^0x[0-9a-fA-F]{40}$",
        "signature": "^0x[0-9a-fA-F]{130}$",
        "nonce": "^[0-9]{1,18}$",
        "deadline": "^[0-9]{1,18}$",
        "client_id": "^[0-9A-Za-z._:-]{0,64}$",
    }
    for name, pattern in patterns.items():
        if name in properties:
            properties[name] = {**properties[name], "pattern": pattern}


def _texts(schema: Any) -> Any:
    """Replace integers by what the wire carries: decimal text."""
    if isinstance(schema, list):
        return [_texts(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "integer":
        text = {key: value for key, value in schema.items() if key in ("description", "title")}
        if "default" in schema:
            text["default"] = str(schema["default"])
        return {**SIGNED, **text}
    return {key: _texts(value) for key, value in schema.items()}


def _problem() -> dict[str, Any]:
    listed = "\n".join(f"- `{code}` ({status}): {title}" for code, (status, title) in SERVER_CODES.items())
    problem = _object(
        type={"type": "string"}, title={"type": "string"}, status={"type": "integer"}, code={"type": "string"}
    )
    problem["properties"] |= {
        "detail": {"type": "string"},
        "limit": SIGNED,
        "actual": SIGNED,
        "sequence": UNSIGNED,
        "digest": {"type": "string"},
    }
    problem["description"] = f"Codes of the engine are in `Rejection`. The server's own:\n{listed}"
    return problem


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _one_of(names: Iterable[str]) -> dict[str, Any]:
    return {"oneOf": [_ref(name) for name in names], "discriminator": {"propertyName": "type"}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": REF.format(name=name)}


def _json(schema: Any, description: str, request: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema, **_example(request)}}}


PROBLEMS = {
    "default": {
        "description": "a problem with a stable code",
        "content": {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}},
    }
}


def _post(path: str, summary: str, body: type, answer: str, tag: str) -> dict[str, Any]:
    return {
        "post": {
            "summary": summary,
            "description": inspect.getdoc(body),
            "tags": [tag],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _ref(body.__name__), "example": BODIES[body.__name__]}},
            },
            "responses": {"200": _json(_ref(answer), "done", f"POST {path}"), **PROBLEMS},
        }
    }


def _plain(path: str, summary: str, tag: str) -> dict[str, Any]:
    shown = (("200", "yes", f"GET {path}"), ("503", "no", ""))
    states = {status: _json({"type": "object"}, text, request) for status, text, request in shown}
    return {"get": {"summary": summary, "tags": [tag], "responses": states}}


def _get(read: Read) -> dict[str, Any]:
    path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
            "example": "Token" if read.path == "/v1/leaves/{kind}" else IN_PATH[name],
        }
        for name in re.findall(r"{(\w+)}", read.path)
    ]
    shown = {name: {"example": value} for name, value in IN_QUERY.get(read.path, {}).items()}
    query = [
        {"name": name, "in": "query", "description": QUERY[name], "schema": {"type": "string"}, **shown.get(name, {})}
        for name in read.query
    ]
    return {
        "get": {
            "summary": read.summary,
            "description": inspect.getdoc(read.handler) if read.handler.__doc__ else read.summary,
            "tags": [read.tag],
            "parameters": [*path, *query],
            "responses": {"200": _answer(read), **PROBLEMS},
        }
    }


def _answer(read: Read) -> dict[str, Any]:
    kind = "object" if read.media_type == "application/json" else "string"
    content = {"schema": {"type": kind}, **_example(f"GET {read.path}")}
    return {"description": read.summary, "content": {read.media_type: content}}


def _example(request: str) -> dict[str, Any]:
    return {"example": ANSWERS[request]} if request in ANSWERS else {}
