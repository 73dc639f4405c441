"""Calculators that need no venue: yields, prices, sizes. Pure functions, each with a command of the CLI."""
