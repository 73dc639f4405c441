"""The command line's part about history: rebuild, show, export; each fault is one readable line."""

import asyncio
from pathlib import Path

from typer.testing import CliRunner, Result

from tests.journal.venue_log import ALICE, BOB
from tests.node.venue import disk_node
from tests.server.test_api import pay
from zlp.cli import app


def run(*arguments: object) -> Result:
    """`zlp` with these arguments."""
    return CliRunner().invoke(app, [str(each) for each in arguments])


def venue(folder: Path) -> None:
    """A stopped venue with a little history."""

    async def live() -> None:
        node = disk_node(folder)
        await node.command(ALICE, pay(5), pay(6), local="test")
        await node.stop()

    asyncio.run(live())


def test_a_read_model_is_built_shown_and_exported(tmp_path) -> None:
    """A2: the same digest each time it is built; a tax file with the account's lines."""
    venue(tmp_path)
    missing = run("projections", "show", tmp_path)
    assert (missing.exit_code, "zlp projections rebuild" in missing.output.replace("\n", " ")) == (1, True)
    built = run("projections", "rebuild", tmp_path)
    assert built.exit_code == 0, built.output
    assert "sequence 7" in built.output
    other = run("projections", "rebuild", tmp_path, "--history", f"sqlite:///{tmp_path / 'other'}")
    shown = run("projections", "show", tmp_path)
    assert built.output.splitlines()[-1] == other.output.splitlines()[-1] == shown.output.splitlines()[-1]
    file = tmp_path / "koinly.csv"
    done = run("tax", "export", tmp_path, "--account", BOB.upper().replace("0X", "0x"), "--out", file)
    assert (done.exit_code, len(file.read_text().splitlines())) == (0, 3), done.output
    assert "2 lines" in done.output
    year = run("tax", "export", tmp_path, "--account", BOB, "--year", 1999)
    assert len(year.output.splitlines()) == 1


def test_faults_are_one_line(tmp_path) -> None:
    """A4: no stack trace for a wrong format, nor for a folder without a journal."""
    venue(tmp_path)
    run("projections", "rebuild", tmp_path)
    wrong = run("tax", "export", tmp_path, "--account", BOB, "--format", "xml")
    assert (wrong.exit_code, "formats are generic, koinly" in wrong.output) == (1, True)
    nowhere = run("projections", "rebuild", tmp_path / "nowhere")
    assert nowhere.exit_code == 1
    assert "Traceback" not in nowhere.output
