"""The page at ``/docs``: the API's description made readable, with nothing loaded from anywhere else."""

from __future__ import annotations

from importlib import resources

PAGE = resources.files("zlp.server").joinpath("docs.html").read_text(encoding="utf-8")
