"""What the engine must not contain, read from the syntax tree of one file.

Each rule takes a parsed module and returns its findings as `(line, message)`. The reason behind all of them: two
machines that apply the same commands must hold the same bits, and a number must never be rounded by accident.
"""

import ast
import re
from collections.abc import Iterator

Finding = tuple[int, str]

# Pure parts of the standard library. What is not here does I/O, reads a clock, draws numbers or shares state.
ALLOWED_IMPORTS = frozenset(
    {
        "__future__",
        "abc",
        "bisect",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
        "msgspec",
        "operator",
        "re",
        "string",
        "types",
        "typing",
        "zlp.engine",
    }
)
IMPORT_REASONS = {
    "time": "the wall clock; time enters only as a command's time",
    "datetime": "the wall clock; time is integer seconds in the engine",
    "random": "randomness; draw outside and submit commands",
    "secrets": "randomness; draw outside and submit commands",
    "decimal": "a global rounding context; use zlp.engine.fixed",
    "math": "floating point; zlp.engine.fixed is the only place that computes with it",
}
BANNED_CALLS = {
    "print": "I/O; record an event instead",
    "open": "I/O; the engine reads and writes nothing",
    "input": "I/O; the engine reads and writes nothing",
    "hash": "different in every process for text; use the digest",
    "id": "different in every process",
    "eval": "code from text",
    "exec": "code from text",
    "divmod": "a division; use zlp.engine.fixed",
    "round": "rounding without a named direction; use zlp.engine.fixed",
}
BANNED_OPERATORS = {ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%"}
# Calls that turn a set into a sequence, so that its order shows. sorted, len, min, max and sum do not.
ORDER_KEEPING_CALLS = frozenset({"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "join", "fromkeys"})
PROFILE_NAME = re.compile(r"zeus|zeno|zaros|(?<![a-z])zo(?![a-z])", re.IGNORECASE)


def floats(tree: ast.Module) -> Iterator[Finding]:
    """Float and complex literals, and the name `float` itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield node.lineno, f"the literal {node.value} is not an integer; scale it"
        elif isinstance(node, ast.Name) and node.id in {"float", "complex"}:
            yield node.lineno, f"`{node.id}` in the engine; numbers are integers"


def divisions(tree: ast.Module) -> Iterator[Finding]:
    """Division and remainder on anything but text."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.BinOp | ast.AugAssign):
            continue
        sign = BANNED_OPERATORS.get(type(node.op))
        left = node.left if isinstance(node, ast.BinOp) else node.target
        is_text = isinstance(left, ast.JoinedStr) or (isinstance(left, ast.Constant) and isinstance(left.value, str))
        if sign and not is_text:
            yield (
                node.lineno,
                f"bare `{sign}`; use mul_div_down, mul_div_up or mul_div_toward_zero of fixed.py",
            )


def imports(tree: ast.Module) -> Iterator[Finding]:
    """Imports of anything but the engine, msgspec and the pure parts of the standard library."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            parts = name.split(".")
            home = ".".join(parts[:2]) if parts[0] == "zlp" else parts[0]
            if home not in ALLOWED_IMPORTS:
                reason = IMPORT_REASONS.get(home, "the engine imports itself, msgspec and pure standard library")
                yield node.lineno, f"import of {name}: {reason}"


def calls_and_asserts(tree: ast.Module) -> Iterator[Finding]:
    """Calls that do I/O or differ between processes, and `assert`, which `python -O` removes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, "assert; reject a bad command, raise InvariantBroken for our own fault"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BANNED_CALLS:
            yield node.lineno, f"{node.func.id}(): {BANNED_CALLS[node.func.id]}"


def set_iteration(tree: ast.Module) -> Iterator[Finding]:
    """Loops and sequence-making calls over an expression or a name known to be a set."""
    known = _names_of_sets(tree)
    for node in ast.walk(tree):
        for walked in _walked_in_order(node):
            if _is_set(walked, known):
                yield walked.lineno, "iteration over a set, whose order is not defined; sort it or use a dict"


def profile_names(source: str) -> Iterator[Finding]:
    """Names of profiles anywhere in the text: profiles choose, code never asks who it is."""
    for number, line in enumerate(source.splitlines(), 1):
        if found := PROFILE_NAME.search(line):
            yield number, f"the profile name `{found.group()}`; name the mechanism, not who uses it"


def _walked_in_order(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.For | ast.comprehension):
        return [node.iter]
    if isinstance(node, ast.Starred):
        return [node.value]
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return list(node.args) if name in ORDER_KEEPING_CALLS else []
    return []


def _is_set(node: ast.expr, known: frozenset[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"set", "frozenset"}
    if isinstance(node, ast.BinOp):
        return _is_set(node.left, known) or _is_set(node.right, known)
    return isinstance(node, ast.Name | ast.Attribute) and _name_of(node) in known


def _names_of_sets(tree: ast.Module) -> frozenset[str]:
    """Names that the file annotates as a set or binds to one, wherever in the file that is."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and _is_set_type(node.annotation):
            names.add(_name_of(node.target))
        elif isinstance(node, ast.arg) and node.annotation and _is_set_type(node.annotation):
            names.add(node.arg)
        elif isinstance(node, ast.Assign) and _is_set(node.value, frozenset()):
            names.update(_name_of(target) for target in node.targets)
    return frozenset(names - {""})


def _is_set_type(annotation: ast.expr) -> bool:
    base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return _name_of(base) in {"set", "frozenset", "AbstractSet", "MutableSet"}


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
