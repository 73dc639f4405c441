"""How far a float sum may be from the exact one. The derivation is in the package's docstring."""

THRESHOLD_MARGIN = 2.0**-48
"""Of a moving threshold, relative to the magnitudes that are added: 32 roundings; at most 12 happen."""

MOST_INDICES = 8
"""Indices that one moving threshold may have."""

HEADROOM_MARGIN = 2.0**-42
"""Of an account's headroom, relative to the magnitudes that were added: 2048 roundings."""

MOST_LEGS = 1000
"""Legs that one account may have: their terms pass at most 1010 roundings."""

UNDERFLOW_MARGIN = 2.0**-512
"""Absolute, for products and conversions that leave the range of normal floats. Prices are 1 or more."""
