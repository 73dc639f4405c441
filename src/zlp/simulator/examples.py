"""The scenarios that ship with the package."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "scenarios"


def names() -> list[str]:
    """What there is."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def find(scenario: str) -> Path:
    """A file by its path, or an example by its name. Raises ``FileNotFoundError`` naming the examples."""
    file = Path(scenario)
    if file.exists():
        return file
    example = FOLDER / f"{scenario}.toml"
    if example.exists():
        return example
    raise FileNotFoundError(f"{scenario}: no such file, and no example of that name ({', '.join(names())})")
