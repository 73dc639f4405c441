"""The engine's version: recorded in genesis, so that a replay knows which rules made a log."""

from __future__ import annotations

VERSION = "0.3.0"
