"""The report of a simulation: one HTML file that needs no network, and the data behind each plot as Parquet."""

from __future__ import annotations

from zlp.simulator.report.figures import Figure, figures
from zlp.simulator.report.page import write_report

__all__ = ["Figure", "figures", "write_report"]
