"""Mechanisms: frozen parameters with the pure formula that uses them, one file per subject."""
