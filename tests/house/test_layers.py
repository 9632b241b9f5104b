"""The layers of the folders (``[[tool.importlinter.contracts]]`` in pyproject.toml)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

FORBIDDEN_CALLS = {"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint"}
"""Built-ins that need no import and are I/O all the same."""

CLOCK_METHODS = {"now", "utcnow", "today"}
"""``datetime`` may be reckoned with in the core, and never asked what time it is."""


def test_no_layer_is_crossed(root: Path) -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    checked = subprocess.run(
        [linter, "--no-cache"], cwd=root, capture_output=True, text=True, env={"COLUMNS": "100"}
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_core_calls_no_built_in_that_does_io_and_asks_no_clock(root: Path) -> None:
    found = []
    for path in sorted((root / "kiosk/core").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            match node.func:
                case ast.Name(id=name) if name in FORBIDDEN_CALLS:
                    found.append(f"{path.relative_to(root)}:{node.lineno}: {name}()")
                case ast.Attribute(attr=name) if name in CLOCK_METHODS and not node.args:
                    found.append(f"{path.relative_to(root)}:{node.lineno}: .{name}()")
    assert found == []
