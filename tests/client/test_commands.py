"""Keys are made, encrypted and found by the command line."""

import stat
from pathlib import Path

from typer.testing import CliRunner

from zlp.client import Signer
from zlp.client.commands import app


def test_a_new_key_is_encrypted_and_shown(tmp_path: Path) -> None:
    """A8: only the owner may read the file; its password opens it."""
    made = CliRunner().invoke(app, ["new", "--folder", str(tmp_path), "--password", "secret"])
    assert made.exit_code == 0, made.output
    address = made.output.split()[0]
    path = tmp_path / f"{address}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Signer.from_keystore(path, "secret").address == address
    shown = CliRunner().invoke(app, ["show", address.upper().replace("0X", "0x"), "--folder", str(tmp_path)])
    assert address in shown.output
    assert CliRunner().invoke(app, ["show", "--folder", str(tmp_path / "none")]).exit_code == 1


def test_a_key_needs_a_password(tmp_path: Path) -> None:
    """A8: no key file is written in the clear."""
    refused = CliRunner().invoke(app, ["new", "--folder", str(tmp_path), "--password", ""])
    assert refused.exit_code == 2
    assert not list(tmp_path.iterdir())
