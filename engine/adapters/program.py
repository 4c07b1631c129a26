"""What this program is made of, so that a recorded run can tell whether the same program repeats it."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

WINGS: Final = ("config", "engine", "exchange", "ml")
"""What a decision can depend on."""
LIBRARIES: Final = ("numpy", "numba", "msgspec", "pydantic")


def code_hash() -> str:
    """Return a SHA-256 over the Python sources of the desk. Raises OSError."""
    digest = hashlib.sha256()
    for wing in WINGS:
        spec = find_spec(wing)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        for path in sorted(root.rglob("*.py")):
            data = path.read_bytes()
            digest.update(f"{wing}/{path.relative_to(root).as_posix()} {len(data)}\n".encode())
            digest.update(data)
    return digest.hexdigest()


def built_with() -> str:
    """Return interpreter, processor and the libraries that compute, with their versions."""
    parts = [f"Python {platform.python_version()}", platform.machine()]
    return ", ".join([*parts, *(f"{name} {version(name)}" for name in LIBRARIES)])
