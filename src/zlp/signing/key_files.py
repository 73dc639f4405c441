"""Key files as other tools of this kind write them too: the key encrypted, its address beside it in the clear."""

from __future__ import annotations

import json
from pathlib import Path


def address_in(path: Path) -> str:
    """The address of a key file, for which no password is needed. Raises ``ValueError`` if it is none."""
    try:
        return f"0x{json.loads(path.read_text())['address'].lower().removeprefix('0x')}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"{path} is no key file: {fault}") from None


def key_files(folder: Path) -> list[Path]:
    """The key files of a folder, whether they are named by their address or otherwise."""
    return sorted(path for path in folder.glob("*.json") if _is_key_file(path))


def _is_key_file(path: Path) -> bool:
    try:
        address_in(path)
    except ValueError:
        return False
    return True
