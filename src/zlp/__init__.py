"""ZLP: one exact, deterministic market making engine, with a venue and a simulator around it."""

__version__ = "0.1.0"
