"""Keyed rows of numeric columns that stay dense: what a kernel scans."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Key = TypeVar("Key", bound=Hashable)
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CHUNK = 1024
"""Arrays hold a multiple of this many rows."""


class Rows(Generic[Key]):
    """A dense table: row `i` of every column belongs to `key_at(i)`.

    A new key takes the row after the last one (arrays double when full). Removing a key moves the last row
    into the gap. So rows have no holes, and their order depends on history: it means nothing to callers.
    """

    __slots__ = ("_keys", "_row_of", "floats", "integers")

    def __init__(self, float_columns: int, integer_columns: int = 0) -> None:
        self.floats: Floats = np.zeros((float_columns, CHUNK), dtype=np.float64)
        self.integers: Integers = np.zeros((integer_columns, CHUNK), dtype=np.int64)
        self._keys: list[Key] = []
        self._row_of: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._row_of

    def row(self, key: Key) -> int:
        """The row of a key. KeyError when it has none."""
        return self._row_of[key]

    def keys(self) -> list[Key]:
        """All keys in row order."""
        return list(self._keys)

    def keys_at(self, rows: Integers) -> list[Key]:
        """The keys of these rows."""
        keys = self._keys
        return [keys[row] for row in rows.tolist()]

    def claim(self, key: Key) -> int:
        """The row of a key, a new one (with stale content) when it had none."""
        row = self._row_of.get(key)
        if row is None:
            row = len(self._keys)
            if row == self.floats.shape[1]:
                self._grow(2 * row)
            self._keys.append(key)
            self._row_of[key] = row
        return row

    def remove(self, key: Key) -> None:
        """Forget a key; the last row moves into its place. KeyError when it has no row."""
        row = self._row_of.pop(key)
        last_key = self._keys.pop()
        last = len(self._keys)
        if row != last:
            self.floats[:, row] = self.floats[:, last]
            self.integers[:, row] = self.integers[:, last]
            self._keys[row] = last_key
            self._row_of[last_key] = row

    def load(self, keys: Iterable[Key], floats: Floats) -> None:
        """Replace every row by these: `floats` has the shape (columns, keys). Integer columns become zero.

        Raises ValueError, and changes nothing, when keys repeat or the shape does not fit.
        """
        new_keys = list(keys)
        row_of = {key: row for row, key in enumerate(new_keys)}
        if len(row_of) != len(new_keys):
            raise ValueError(f"{len(new_keys) - len(row_of)} keys occur more than once")
        expected = (self.floats.shape[0], len(new_keys))
        if floats.shape != expected:
            raise ValueError(f"expected columns of shape {expected}, not {floats.shape}")
        capacity = CHUNK * max(1, -(-len(new_keys) // CHUNK))
        self.floats = np.zeros((expected[0], capacity), dtype=np.float64)
        self.floats[:, : len(new_keys)] = floats
        self.integers = np.zeros((self.integers.shape[0], capacity), dtype=np.int64)
        self._keys, self._row_of = new_keys, row_of

    def _grow(self, capacity: int) -> None:
        count = len(self._keys)
        floats, integers = self.floats, self.integers
        self.floats = np.zeros((floats.shape[0], capacity), dtype=np.float64)
        self.integers = np.zeros((integers.shape[0], capacity), dtype=np.int64)
        self.floats[:, :count] = floats[:, :count]
        self.integers[:, :count] = integers[:, :count]
