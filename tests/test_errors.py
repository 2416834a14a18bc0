"""Errors: what, where, and what to try."""

import ast
from collections.abc import Iterator

from analyzer import errors
from tests.golden import ROOT

KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}


def _made() -> Iterator[tuple[str, ast.Call]]:
    for module in sorted((ROOT / "analyzer").rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                yield f"{module.relative_to(ROOT)}:{node.lineno}", node


def test_every_error_says_what_to_try() -> None:
    made = list(_made())
    dumb = [
        place for place, call in made if len(call.args) < 3 and not any(word.arg == "hint" for word in call.keywords)
    ]

    assert made
    assert dumb == []
