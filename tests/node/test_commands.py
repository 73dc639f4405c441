"""The command line's journal tools say what they found, and fail loudly."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.journal.test_corruption import damage
from tests.journal.venue_log import HEADER, IDENTITY, START
from tests.node.test_node import NONCE, pay
from tests.node.venue import disk_node, signed
from zlp.journal import JournalMismatch, SqliteJournal
from zlp.node import open_node
from zlp.node.commands import app

ROLES = {"governor": ("0x" + "0a" * 20,)}


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A stopped venue with twenty intents."""
    node = disk_node(tmp_path / "venue")
    for number in range(20):
        await node.submit(signed(pay(number + 1), nonce=NONCE + number))
    await node.stop()
    return tmp_path / "venue"


def run(*arguments: object, code: int = 0) -> str:
    """Run a command; what it printed."""
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exit_code == code, done.output
    return done.output


async def test_replay_and_verify_print_where_they_arrive(folder: Path) -> None:
    """A2: the same digest with and without snapshots, and every signature checked."""
    arrived, again = run("replay", folder), run("replay", folder, "--from-genesis")
    assert arrived == again
    assert "25" in arrived
    verified = run("verify", folder)
    assert "1 to 25" in verified
    assert any(line.split() == ["signatures", "20"] for line in verified.splitlines())
    assert run("replay", folder, "--until", 10) != arrived


async def test_a_damaged_journal_fails_with_its_place(folder: Path) -> None:
    """A2: exit code 1 and the place."""
    raw = (folder / "journal.sqlite").read_bytes()
    damage(folder / "journal.sqlite", raw.index(b'"amount":"17"'), 1)
    for command in ("verify", "replay", "export"):
        assert "record 22" in run(command, folder, code=1).replace("\n", " ")


async def test_export_load_and_backup_make_the_same_venue(folder: Path, tmp_path: Path) -> None:
    """A2: an archive and a copy replay to the same digest."""
    run("export", folder, "--output", tmp_path / "venue.jsonl")
    lines = (tmp_path / "venue.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["header"]["identity"] == IDENTITY
    assert len(lines) == 26
    run("load", tmp_path / "loaded", tmp_path / "venue.jsonl")
    run("backup", folder, tmp_path / "copy")
    assert run("replay", tmp_path / "loaded") == run("replay", tmp_path / "copy") == run("replay", folder)
    assert "exists" in run("backup", folder, tmp_path / "copy", code=1)


async def test_compact_keeps_what_is_recent(folder: Path) -> None:
    """A2: a venue of long ago is compacted to its last snapshot; a year's records are kept when asked."""
    before = run("replay", folder)
    assert "0 records dropped" in run("compact", folder, "--keep-days", 100_000)
    assert "25 records dropped" in run("compact", folder)
    assert run("replay", folder) == before
    again = disk_node(folder)
    (fact,) = await again.submit(signed(pay(), nonce=START * 1_000 + 500))
    assert fact.sequence == 26
    await again.stop()


async def test_a_backup_of_a_compacted_venue_can_be_started(folder: Path, tmp_path: Path) -> None:
    """A2: what was compacted is in a snapshot alone, so a copy needs the snapshots too."""
    run("compact", folder)
    run("backup", folder, tmp_path / "copy")
    assert run("verify", tmp_path / "copy") == run("verify", folder)
    again = disk_node(tmp_path / "copy")
    (fact,) = await again.submit(signed(pay(), nonce=START * 1_000 + 500))
    assert fact.sequence == 26
    await again.stop()


async def test_a_profile_founds_a_venue_and_another_is_refused(tmp_path: Path) -> None:
    """A1: every shipped profile starts; the folder remembers which."""
    for name in ("zeus", "zeno", "zo", "zaros"):
        node = open_node(tmp_path / name, profile=name, roles=ROLES)
        assert node.identity
        await node.stop()
        again = open_node(tmp_path / name)
        assert again.root.chain == node.root.chain
        await again.stop()
    with pytest.raises(JournalMismatch, match="founded with profile"):
        open_node(tmp_path / "zeus", profile="zeno")


async def test_an_upgrade_needs_a_clean_stop(folder: Path, tmp_path: Path) -> None:
    """A2: another engine version goes on only where the old one left a snapshot at the very end."""
    journal = SqliteJournal(folder)
    journal._store_header(type(HEADER)(identity=IDENTITY, profile_hash=HEADER.profile_hash, engine_version="0.0.1"))
    journal.close()
    with pytest.raises(JournalMismatch, match=r"0\.0\.1.*zlp node --data FOLDER --upgrade"):
        open_node(folder)
    snapshot = next((folder / "snapshots").iterdir())
    snapshot.rename(tmp_path / snapshot.name)
    with pytest.raises(JournalMismatch, match="stop the venue"):
        open_node(folder, upgrade=True)
    (tmp_path / snapshot.name).rename(snapshot)
    node = open_node(folder, upgrade=True)
    (fact,) = await node.submit(signed(pay(), nonce=int(time.time() * 1_000), deadline=2**40))
    assert fact.sequence == 26
    await node.stop()
    assert "26" in run("verify", folder)
