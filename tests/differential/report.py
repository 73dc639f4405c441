"""What a replay of recorded results counts, and how it prints."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """Cases that matched, that differ for a stated reason, that differ without one, and that were skipped.

    ``unit`` is the word the count is printed with (``ops``, ``cases`` or ``minutes``).
    """

    unit: str = "ops"
    matched: int = 0
    listed: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Everything that was compared."""
        return self.matched + len(self.listed) + len(self.mismatched)

    def match(self) -> None:
        """One case agrees."""
        self.matched += 1

    def list(self, case: str, reason: str) -> None:
        """One case differs on purpose."""
        self.listed.append(f"{case}: {reason}")

    def mismatch(self, case: str, difference: str) -> None:
        """One case differs."""
        self.mismatched.append(f"{case}: {difference}")

    def skip(self, case: str, reason: str) -> None:
        """One case is no part of the comparison."""
        self.skipped.append(f"{case}: {reason}")

    def summary(self) -> str:
        """The closing line."""
        return (
            f"{self.unit}={self.total} matched={self.matched} "
            f"listed={len(self.listed)} mismatched={len(self.mismatched)}"
        )
