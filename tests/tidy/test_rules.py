"""Each rule of the house finds what it bans and leaves the rest alone."""

import ast
from pathlib import Path

import pytest

from tests.tidy import engine_rules, tree_rules

BAD_ENGINE_CODE = [
    (engine_rules.floats, "fee = 0.25"),
    (engine_rules.floats, "price = float(text)"),
    (engine_rules.floats, "def f(x: float): ..."),
    (engine_rules.divisions, "a = b / c"),
    (engine_rules.divisions, "a = b // c"),
    (engine_rules.divisions, "a = b % c"),
    (engine_rules.divisions, "a //= c"),
    (engine_rules.imports, "import time"),
    (engine_rules.imports, "from datetime import datetime"),
    (engine_rules.imports, "import random"),
    (engine_rules.imports, "from zlp.journal import Journal"),
    (engine_rules.imports, "import zlp"),
    (engine_rules.imports, "def f():\n    import numpy as np"),
    (engine_rules.imports, "from . import root"),
    (engine_rules.calls_and_asserts, "assert x > 0"),
    (engine_rules.calls_and_asserts, "print(x)"),
    (engine_rules.calls_and_asserts, "open('file')"),
    (engine_rules.calls_and_asserts, "key = hash(name)"),
    (engine_rules.calls_and_asserts, "divmod(a, b)"),
    (engine_rules.set_iteration, "for x in {1, 2}: ..."),
    (engine_rules.set_iteration, "for x in set(y): ..."),
    (engine_rules.set_iteration, "z = [x for x in frozenset(y)]"),
    (engine_rules.set_iteration, "z = {x for x in y}\nfor a in z: ..."),
    (engine_rules.set_iteration, "def f(names: frozenset[str]):\n    return list(names)"),
    (engine_rules.set_iteration, "class A:\n    ids: set[int]\ndef f(a):\n    return tuple(a.ids)"),
    (engine_rules.set_iteration, "z = [*set(y)]"),
    (engine_rules.set_iteration, "','.join({a, b})"),
]

GOOD_ENGINE_CODE = [
    (engine_rules.floats, "fee_bps = 25"),
    (engine_rules.divisions, "a = '%s' % b"),
    (engine_rules.divisions, "a = b * c - d ** 2"),
    (
        engine_rules.imports,
        "from zlp.engine.fixed import mul_div_down\nimport msgspec\nfrom enum import Enum",
    ),
    (engine_rules.calls_and_asserts, "raise InvariantBroken('value')"),
    (engine_rules.set_iteration, "for x in sorted({1, 2}): ..."),
    (engine_rules.set_iteration, "known = {1, 2}\nok = x in known"),
    (engine_rules.set_iteration, "for x in {1: 2}: ..."),
]


@pytest.mark.parametrize(("rule", "source"), BAD_ENGINE_CODE)
def test_engine_rule_finds_what_it_bans(rule, source: str) -> None:
    """A1, A2: each way to be inexact or different between runs is seen."""
    assert list(rule(ast.parse(source)))


@pytest.mark.parametrize(("rule", "source"), GOOD_ENGINE_CODE)
def test_engine_rule_leaves_good_code_alone(rule, source: str) -> None:
    """Code of the house passes."""
    assert not list(rule(ast.parse(source)))


@pytest.mark.parametrize("name", ["zeus", "ZENO_RATE", "the Zaros way", "like zo does", "zo_fee", "ZO"])
def test_profile_names_are_found(name: str) -> None:
    """A profile's name is found in any case and inside identifiers."""
    assert list(engine_rules.profile_names(f"x = 1  # {name}"))


@pytest.mark.parametrize("word", ["zone", "horizon", "zero"])
def test_other_words_are_no_profile_names(word: str) -> None:
    """Words that contain the two letters of a short profile name pass."""
    assert not list(engine_rules.profile_names(word))


def test_long_files_and_functions_are_found() -> None:
    """The limit itself passes, one line more does not."""
    assert not list(tree_rules.long_file("x\n" * tree_rules.LONGEST_FILE))
    assert list(tree_rules.long_file("x\n" * (tree_rules.LONGEST_FILE + 1)))
    body = "    x = 1\n" * (tree_rules.LONGEST_FUNCTION - 1)
    assert not list(tree_rules.long_functions(ast.parse(f"def f():\n{body}")))
    assert list(tree_rules.long_functions(ast.parse(f"async def f():\n{body}    x = 1\n")))


@pytest.mark.parametrize("path", ["src/zlp/utils/a.py", "src/zlp/helpers.py", "tests/misc/__init__.py"])
def test_vague_names_are_found(path: str) -> None:
    """Folders count as much as modules."""
    assert list(tree_rules.vague_name(Path(path)))
    assert not list(tree_rules.vague_name(Path("src/zlp/engine/fixed.py")))


def test_missing_docstrings_are_found() -> None:
    """Private modules may go without; packages and empty docstrings may not."""
    assert list(tree_rules.missing_docstring(ast.parse("x = 1"), Path("pool.py")))
    assert list(tree_rules.missing_docstring(ast.parse('" "'), Path("__init__.py")))
    assert not list(tree_rules.missing_docstring(ast.parse("x = 1"), Path("_tables.py")))
    assert not list(tree_rules.missing_docstring(ast.parse('"A pool."'), Path("pool.py")))


def test_unfinished_work_is_found() -> None:
    """Notes are found as words, not as parts of words."""
    assert list(tree_rules.unfinished("# TO" + "DO later"))
    assert list(tree_rules.unfinished("# FIX" + "ME"))
    assert not list(tree_rules.unfinished("# the TO" + "DOs of others"))


def test_outside_paths_are_found() -> None:
    """Folders beside the repository and registry addresses are found; the plain words are not."""
    assert list(tree_rules.outside_paths("data = '../sha" + "red/data'"))
    assert list(tree_rules.outside_paths("cd /wo" + "rk/main"))
    assert list(tree_rules.outside_paths("https://py" + "pi.org/simple"))
    assert not list(tree_rules.outside_paths("a shared rule; see docs/work/flow.md"))


GOOD_CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- X.\n\n## [0.1.0] - 2026-01-31\n"


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("# Changelog", "# Changes"),
        ("## [Unreleased]", "## Next"),
        ("### Added", "### New things"),
        ("- 2026-01-31", "31 January"),
    ],
)
def test_changelog_faults_are_found(good: str, bad: str) -> None:
    """Title, first section, kinds of change and dates have one form."""
    assert not list(tree_rules.changelog_form(GOOD_CHANGELOG))
    assert list(tree_rules.changelog_form(GOOD_CHANGELOG.replace(good, bad)))


def test_undescribed_and_forgotten_dependencies_are_found() -> None:
    """The document and pyproject.toml name the same dependencies, however they are spelled."""
    document = "| `SQLAlchemy` | sql |\n| `psycopg` | sql |\n"
    assert not list(tree_rules.dependency_lines({"sqlalchemy", "psycopg"}, document))
    assert list(tree_rules.dependency_lines({"sqlalchemy", "psycopg", "rich"}, document))
    assert list(tree_rules.dependency_lines({"sqlalchemy"}, document))


def test_declared_requirements_come_from_everywhere() -> None:
    """Build system, core, extras and groups count; the project's own extras do not."""
    project = {
        "build-system": {"requires": ["hatchling"]},
        "project": {
            "name": "zlp",
            "dependencies": ["rich>=13"],
            "optional-dependencies": {"a": ["psycopg[binary]>=3 ; os_name != 'nt'"], "all": ["zlp[a]"]},
        },
        "dependency-groups": {"test": ["pytest"]},
    }
    names = [tree_rules.normal_name(requirement) for requirement in tree_rules.declared_requirements(project)]
    assert names == ["hatchling", "rich", "psycopg", "pytest"]
