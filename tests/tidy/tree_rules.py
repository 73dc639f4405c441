"""What no file of the repository may contain. Each rule takes text or names and returns findings."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

Finding = tuple[int, str]

LONGEST_FILE = 450
LONGEST_FUNCTION = 60
# Names that say where code was put, not what it is.
BANNED_NAMES = frozenset({"utils", "util", "helpers", "helper", "misc", "common", "stuff"})
# Written so that this file does not break its own rules.
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b")
OUTSIDE = re.compile(r"\bshared[/]|(?<![\w.])/work[/]|pypi[.]org|pythonhosted[.]org|registry[.]npmjs")
CHANGE_KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)")
TABLE_ROW = re.compile(r"^\| *`([A-Za-z0-9._-]+)` *\|")


def long_file(source: str) -> Iterator[Finding]:
    """A file that nobody reads in one go."""
    length = len(source.splitlines())
    if length > LONGEST_FILE:
        yield (
            length,
            f"{length} lines, {LONGEST_FILE} at most; find the second idea in it and give that a file",
        )


def long_functions(tree: ast.Module) -> Iterator[Finding]:
    """Functions, from `def` to their last line, that do more than one thing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield (
                    node.lineno,
                    f"{node.name} has {length} lines, {LONGEST_FUNCTION} at most; name its parts",
                )


def vague_name(path: Path) -> Iterator[Finding]:
    """Folders and modules that are called after nothing."""
    for part in (*path.parts[:-1], path.stem):
        if part in BANNED_NAMES:
            yield 1, f"`{part}` says nothing; name the folder or module after its subject"


def missing_docstring(tree: ast.Module, path: Path) -> Iterator[Finding]:
    """Public modules that do not say what they are."""
    is_private = path.stem.startswith("_") and path.stem not in {"__init__", "__main__"}
    if not is_private and not (ast.get_docstring(tree) or "").strip():
        yield 1, "no docstring; say in a sentence what this module is"


def unfinished(source: str) -> Iterator[Finding]:
    """Notes of work that was not done."""
    for number, line in enumerate(source.splitlines(), 1):
        if found := UNFINISHED.search(line):
            yield number, f"`{found.group()}`; do it, or write it as an issue"


def outside_paths(source: str) -> Iterator[Finding]:
    """Folders outside the repository, and addresses of package registries."""
    for number, line in enumerate(source.splitlines(), 1):
        if found := OUTSIDE.search(line):
            yield (
                number,
                f"`{found.group()}` is outside the repository; tests find market data by ZLP_TEST_DATA",
            )


def changelog_form(source: str) -> Iterator[Finding]:
    """Departures from the form of Keep a Changelog."""
    lines = source.splitlines()
    if not lines or lines[0] != "# Changelog":
        yield 1, "the first line is `# Changelog`"
    versions = [(n, line) for n, line in enumerate(lines, 1) if re.match(r"## ", line)]
    if not versions or versions[0][1] != "## [Unreleased]":
        yield versions[0][0] if versions else 1, "the first section is `## [Unreleased]`"
    for number, line in versions[1:]:
        if not re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", line):
            yield number, f"`{line}` is not of the form `## [1.2.3] - 2026-01-31`"
    for number, line in enumerate(lines, 1):
        if line.startswith("### ") and line[4:] not in CHANGE_KINDS:
            yield number, f"`{line}` is none of {', '.join(CHANGE_KINDS)}"


def dependency_lines(declared: set[str], document: str) -> Iterator[Finding]:
    """Dependencies without a line in the document, and lines without a dependency."""
    described = {normal_name(m.group(1)) for line in document.splitlines() if (m := TABLE_ROW.match(line))}
    for name in sorted(declared - described):
        yield 1, f"{name} has no line that says what it is for"
    for name in sorted(described - declared):
        yield 1, f"{name} has a line, but pyproject.toml does not ask for it"


def declared_requirements(project: dict) -> list[str]:
    """Every requirement that pyproject.toml names, except the project's own extras.

    `project` is the parsed file. Requirements keep their extras, version ranges and markers.
    """
    table = project["project"]
    lists = [
        project["build-system"]["requires"],
        table.get("dependencies", []),
        *table.get("optional-dependencies", {}).values(),
        *project.get("dependency-groups", {}).values(),
    ]
    every = [requirement for requirements in lists for requirement in requirements]
    return [requirement for requirement in every if normal_name(requirement) != table["name"]]


def normal_name(requirement: str) -> str:
    """The name in a requirement, as package registries compare names."""
    found = REQUIREMENT.match(requirement)
    return re.sub(r"[-_.]+", "-", found.group(1)).lower() if found else ""
