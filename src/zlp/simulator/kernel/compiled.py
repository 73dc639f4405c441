"""How the fast world is compiled."""

from __future__ import annotations

from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy", boundscheck=False, _nrt=False)  # type: ignore[call-overload]
"""Without counting references to arrays, which would cost more than all else a tick does; so nothing compiled with
it allocates or returns an array. It holds no lock."""
formula = njit(cache=True, inline="always", error_model="numpy")
"""Small enough to become part of each caller."""
