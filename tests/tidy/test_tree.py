"""The rules of the house hold in every file of the repository."""

import ast
import functools
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.tidy import engine_rules, tree_rules

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "src" / "zlp" / "engine"
CODE_FOLDERS = ("src", "tests", "bench")
CODE_ENDINGS = {".py", ".js", ".mjs", ".css", ".html"}
TEXT_ENDINGS = CODE_ENDINGS | {".md", ".toml", ".yml", ".yaml", ".sh", ".cfg", ".txt"}
# Built, downloaded, vendored or written for the eye of one engineer: not ours to read.
SKIPPED_FOLDERS = {"vendor", "__pycache__", "node_modules", "dist", "build", "htmlcov", "runs", "reports"}


def files_below(folder: Path) -> Iterator[Path]:
    """Files of the working tree, without hidden folders and what tools build."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if not path.name.startswith(".") and path.name not in SKIPPED_FOLDERS:
                yield from files_below(path)
        elif path.suffix != ".pyc":
            yield path


@functools.cache
def code() -> tuple[Path, ...]:
    """Every file of code that people read."""
    folders = [ROOT / name for name in CODE_FOLDERS if (ROOT / name).is_dir()]
    return tuple(path for folder in folders for path in files_below(folder) if path.suffix in CODE_ENDINGS)


def python(*, below: Path = ROOT) -> Iterator[Path]:
    """Python modules below a folder."""
    return (path for path in code() if path.suffix == ".py" and path.is_relative_to(below))


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def report(rule: Callable[[Path], Iterable[tuple[int, str]]], paths: Iterable[Path]) -> None:
    """Fail with one line per finding, each starting with a place an editor can jump to."""
    found = [f"{path.relative_to(ROOT)}:{line}: {message}" for path in paths for line, message in rule(path)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize(
    "rule",
    [
        engine_rules.floats,
        engine_rules.divisions,
        engine_rules.imports,
        engine_rules.calls_and_asserts,
        engine_rules.set_iteration,
    ],
    ids=lambda rule: rule.__name__,
)
def test_engine_is_exact_and_deterministic(rule: Callable[[ast.Module], Iterable[tuple[int, str]]]) -> None:
    """A1, A2: nothing in the engine rounds by accident, does I/O, or differs between two runs."""
    # fixed.py is the one place that divides; it may use divmod and math.isqrt to do so.
    may_divide = {engine_rules.divisions, engine_rules.imports, engine_rules.calls_and_asserts}
    exempt = {ENGINE / "fixed.py"} if rule in may_divide else set()
    report(lambda path: rule(tree(path)), (path for path in python(below=ENGINE) if path not in exempt))


def test_engine_names_no_profile() -> None:
    """Profiles choose; the engine never asks who it is."""
    report(lambda path: engine_rules.profile_names(path.read_text(encoding="utf-8")), python(below=ENGINE))


def test_files_are_short() -> None:
    """A file is one idea that can be read in one go."""
    report(lambda path: tree_rules.long_file(path.read_text(encoding="utf-8")), code())


def test_functions_are_short() -> None:
    """A function does one thing."""
    report(lambda path: tree_rules.long_functions(tree(path)), python())


def test_names_say_what_is_inside() -> None:
    """No folder or module is called utils, or anything as empty."""
    report(lambda path: tree_rules.vague_name(path.relative_to(ROOT)), code())


def test_public_modules_have_a_docstring() -> None:
    """`help()` on any module says what it is."""
    folders = (ROOT / "src", ROOT / "bench")
    modules = (path for folder in folders for path in python(below=folder))
    report(lambda path: tree_rules.missing_docstring(tree(path), path), modules)


def test_nothing_is_left_unfinished() -> None:
    """Open work is in issues, not in comments."""
    report(lambda path: tree_rules.unfinished(path.read_text(encoding="utf-8")), text())


def test_nothing_outside_the_repository_is_named() -> None:
    """A clone stands alone. Only `.ci/run` knows where it may find market data, and it is a hidden file."""
    report(lambda path: tree_rules.outside_paths(path.read_text(encoding="utf-8")), text())


def test_changelog_keeps_its_form() -> None:
    """People and tools can read the changelog."""
    report(lambda path: tree_rules.changelog_form(path.read_text(encoding="utf-8")), [ROOT / "CHANGELOG.md"])


def test_every_dependency_has_its_reason() -> None:
    """docs/dependencies.md has one line for each dependency, and none for others."""
    names = {tree_rules.normal_name(requirement) for requirement in requirements()}
    document = ROOT / "docs" / "dependencies.md"
    report(lambda path: tree_rules.dependency_lines(names, path.read_text(encoding="utf-8")), [document])


def test_pins_cover_what_is_declared() -> None:
    """Each dependency is pinned within its range. If not: `make constraints`."""
    pins = pinned("all.txt") | pinned("cluster.txt") | pinned("peers.txt")
    for requirement in map(Requirement, requirements()):
        versions = pins.get(tree_rules.normal_name(requirement.name), set())
        stale = f"constraints/ has {versions or 'no version'} for `{requirement}`; run `make constraints`"
        assert versions, stale
        assert all(requirement.specifier.contains(version) for version in versions), stale


@pytest.mark.parametrize("name", ["all.txt", "cluster.txt", "venue.txt", "peers.txt"])
def test_pins_carry_hashes_and_no_address(name: str) -> None:
    """What is installed is what was tested, wherever it is downloaded from."""
    source = (ROOT / "constraints" / name).read_text(encoding="utf-8")
    assert "://" not in source
    blocks = [block for block in source.split("\n") if "==" in block and not block.lstrip().startswith("#")]
    assert blocks
    assert all(block.endswith("\\") for block in blocks), "a pin without a hash follows it"
    assert source.count("--hash=sha256:") >= len(blocks)


def text() -> list[Path]:
    """Every text file of the repository that people write by hand."""
    top = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT_ENDINGS | {""}]
    below = [path for name in (*CODE_FOLDERS, "docs") if (ROOT / name).is_dir() for path in files_below(ROOT / name)]
    return [path for path in (*top, *below) if path.suffix in TEXT_ENDINGS or path.name == "Makefile"]


def requirements() -> list[str]:
    """Every requirement of pyproject.toml."""
    return tree_rules.declared_requirements(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))


def pinned(name: str) -> dict[str, set[str]]:
    """Versions that a constraint file pins, by name; more than one where Python's version decides."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / "constraints" / name).read_text(encoding="utf-8").splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            package, rest = line.split("==", 1)
            versions.setdefault(tree_rules.normal_name(package), set()).add(rest.split(" ")[0])
    return versions
