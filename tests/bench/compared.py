"""Another commit beside this checkout: a worktree in a temporary folder, the same environment, removed at the end.

Stands beside `measured`, which runs either.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measured import HERE, Code

__all__ = ["other_commit"]


@contextmanager
def other_commit(commit: str) -> Iterator[Code]:
    """The package as it was at that commit.

    Raises:
        SystemExit: there is no such commit.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder).resolve() / "other"
        added = _git("worktree", "add", "--quiet", "--detach", str(root), commit)
        if added.returncode:
            raise SystemExit(f"COMPARE={commit}: {added.stderr.strip()}")
        try:
            yield Code(_git("-C", str(root), "describe", "--always").stdout.strip() or commit, root)
        finally:
            _git("worktree", "remove", "--force", str(root))
            _git("worktree", "prune")


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ("git", *arguments)
    return subprocess.run(command, cwd=HERE.root, capture_output=True, text=True, check=False)
