"""Modules that were compiled ahead of time, taken instead of their sources.

``python -m tools.compile`` makes machine code of a package's modules (mypyc). It lies in
``__compiled__`` inside the package, in a folder named after the digest of the sources and the
interpreter it is for. So it is never stale: a source that was changed gives another digest, no
such folder is there, and the sources themselves run, slower, with the same answers.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = "__compiled__"
"""Where a package keeps what was compiled of it."""
SHARED: Final = "__mypyc"
"""How the name of the library ends that the compiled modules of a package share."""


def sources(package: Path) -> list[Path]:
    """The modules of a package that are compiled: all but ``__init__``, by name."""
    return sorted(path for path in package.glob("*.py") if path.name != "__init__.py")


def folder(package: Path) -> Path:
    """Where machine code of these very sources for this very interpreter lies, if there is any.

    Args:
        package: The folder of a package.
    """
    digest = hashlib.sha256()
    for source in sources(package):
        digest.update(f"{source.name}\0".encode())
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    tag = f"{sys.implementation.cache_tag}-{sys.platform}"
    return package / FOLDER / f"{digest.hexdigest()[:16]}-{tag}"


def prefer(search: list[str]) -> bool:
    """Have a package's modules loaded compiled, where they are compiled.

    Args:
        search: The package's ``__path__``; the folder of what was compiled is put first. To be
            called by the package before it imports any of its modules.

    Returns:
        Whether they are compiled.
    """
    package = Path(search[0])
    if not (package / FOLDER).is_dir():
        return False
    found = folder(package)
    if not found.is_dir():
        return False
    for library in found.glob(f"*{SHARED}.*"):
        _load(library)
    search.insert(0, str(found))
    return True


def _load(library: Path) -> None:
    """Load the shared library under the name that the modules ask for, wherever it lies."""
    name = library.name.partition(".")[0]
    loader = importlib.machinery.ExtensionFileLoader(name, str(library))
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is not None and name not in sys.modules:
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loader.exec_module(module)
