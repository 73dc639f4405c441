"""Keys are made, encrypted and found by the command line."""

import stat
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from zlp.client import Signer
from zlp.client.commands import app
from zlp.server.commands import holders
from zlp.signing.key_files import address_in


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


def test_named_keys_are_made_once(tmp_path: Path) -> None:
    """A8: a bring-up that runs again keeps the keys it made; nothing is overwritten."""
    arguments = ["new", "governor", "keeper", "--folder", str(tmp_path), "--password", "secret"]
    first = CliRunner().invoke(app, [*arguments, "--if-missing"])
    assert first.exit_code == 0, first.output
    (tmp_path / "keeper.json").unlink()
    second = CliRunner().invoke(app, [*arguments, "--if-missing"])
    assert second.stdout.split()[0] == first.stdout.split()[0]
    assert second.stdout.split()[1] != first.stdout.split()[1]
    governor = Signer.from_keystore(tmp_path / "governor.json", "secret")
    assert governor.address == first.stdout.split()[0] == address_in(tmp_path / "governor.json")
    assert CliRunner().invoke(app, arguments).exit_code == 2
    outside = CliRunner().invoke(app, ["new", "../x", "--folder", str(tmp_path / "keys"), "--password", "secret"])
    assert outside.exit_code == 2
    assert not list(tmp_path.glob("x*"))
    shown = CliRunner().invoke(app, ["show", "governor", "--folder", str(tmp_path)])
    assert shown.stdout.split()[0] == governor.address


def test_a_role_is_given_to_a_key_file(tmp_path: Path) -> None:
    """A1: whoever founds a venue need not copy addresses by hand."""
    made = CliRunner().invoke(app, ["new", "governor", "--folder", str(tmp_path), "--password", "secret"])
    path = tmp_path / "governor.json"
    assert holders([f"governor={path}", "keeper=0xAB", f"keeper={path}"]) == {
        "governor": (made.stdout.split()[0],),
        "keeper": ("0xab", made.stdout.split()[0]),
    }
    path.write_text("{}")
    with pytest.raises(typer.BadParameter, match="no key file"):
        holders([f"governor={path}"])
