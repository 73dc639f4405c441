"""The command line: composes everything else, holds no rule of its own."""

from __future__ import annotations

from zlp.cli.application import app

__all__ = ["app"]
