"""``python -m tools.compile``: make machine code of the rules that read outputs.

They then take half the time and say the same. It needs a C compiler and the packages of the
extra ``compile``; takes one to three minutes; does nothing where it was done before. Without it
everything works, slower. See ``trackrecord.compiled``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from trackrecord import compiled

PACKAGES: Final = ("extraction",)
"""Packages of trackrecord that are worth it: plain Python, typed, and most of a stage's time."""

_ROOT: Final = Path(compiled.__file__).parent
# Run by itself, in an empty folder: it leaves files wherever it runs, and ends the process
# when it does not like a source. More optimization takes a third longer and gives no speed.
_BUILD: Final = """
import sys
from mypyc.build import mypycify
from setuptools import Distribution

name, *arguments = sys.argv[1:]
extensions = mypycify(arguments, opt_level="1", debug_level="0", group_name=name, target_dir="c")
build = Distribution({"name": name, "ext_modules": extensions}).get_command_obj("build_ext")
build.build_lib, build.build_temp = "lib", "temp"
build.ensure_finalized()
build.run()
"""
# The types are checked by `make check`; here they are only read.
_MYPY: Final = ("--config-file=", "--ignore-missing-imports", "--disable-error-code=import-untyped")


def build(package: Path) -> Path:
    """Compile a package's modules, unless that was done.

    Args:
        package: Its folder, inside that of trackrecord.

    Returns:
        Where they lie.

    Raises:
        RuntimeError: No compiler, or it failed; says what it said.
    """
    target = compiled.folder(package)
    if target.is_dir():
        return target
    with tempfile.TemporaryDirectory() as work:
        inside = Path(work) / "trackrecord" / package.name
        inside.mkdir(parents=True)
        (inside.parent / "__init__.py").touch()
        for source in (package / "__init__.py", *compiled.sources(package)):
            shutil.copy(source, inside)
        shutil.copy(_ROOT / "compiled.py", inside.parent)
        modules = [str(path.relative_to(work)) for path in compiled.sources(inside)]
        arguments = [sys.executable, "-c", _BUILD, f"trackrecord_{package.name}", *_MYPY, *modules]
        done = subprocess.run(
            arguments, cwd=work, env={**os.environ, "PYTHONPATH": ""}, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr.strip() or done.stdout.strip())
        _keep(Path(work) / "lib", package, target)
    return target


def _keep(built: Path, package: Path, target: Path) -> None:
    """Move what was built to its place, all at once, and drop what older sources left."""
    shutil.rmtree(target.parent, ignore_errors=True)
    target.parent.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as aside:
        ready = Path(aside) / target.name
        ready.mkdir()
        for path in (*built.glob("*.*"), *(built / "trackrecord" / package.name).glob("*.*")):
            shutil.move(path, ready)
        ready.rename(target)


def main() -> int:
    """Compile what the arguments say.

    Returns:
        Exit code: 0 done, 1 not possible here.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.compile", description=__doc__)
    parser.parse_args()
    for name in PACKAGES:
        try:
            target = build(_ROOT / name)
        except RuntimeError as error:
            sys.stderr.write(
                f"{error}\n\ntrackrecord.{name} could not be compiled: it needs a C compiler, the "
                "headers of Python, and the packages of the extra `compile`. Everything works "
                "without, but reading outputs takes twice as long.\n"
            )
            return 1
        sys.stdout.write(f"trackrecord.{name} is compiled: {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
