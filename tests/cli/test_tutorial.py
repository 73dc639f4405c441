"""The tutorial is true: its Python runs, and its commands run at a living venue."""

from __future__ import annotations

import asyncio
import re
import shlex
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.client.living import living
from zlp.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_notebook_runs(capsys) -> None:
    """The numbers the text names are those of the run."""
    names: dict = {}
    exec(compile("\n".join(blocks("python")), "docs/tutorial.md", "exec"), names)

    assert "max_leverage_exceeded" in capsys.readouterr().out
    venue = names["venue"]
    executions = 2 * Decimal("0.00018")
    assert venue.balance("tom", "ETH") == pytest.approx(9 - executions + Decimal("2489.95") / 2100, abs=Decimal("1e-6"))


async def test_the_commands_run(tmp_path: Path, monkeypatch) -> None:
    """In their order, with nothing given but where the venue and the keys are."""
    async with living("zeus", tmp_path / ".zlp" / "zeus") as venue:
        monkeypatch.chdir(tmp_path)
        environment = {"ZLP_URL": venue.address, "ZLP_KEYS": str(tmp_path / "keys"), "ZLP_PASSWORD": "a password"}
        for line in "".join(blocks("sh")).splitlines():
            words = shlex.split(line)[1:]
            if words[0] == "verify":
                break
            result = await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)
            assert result.exit_code == 0, f"{line}\n{result.output}"
    verified = CliRunner().invoke(app, words)
    assert verified.exit_code == 0, verified.output
