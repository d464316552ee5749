"""Start the ``trackrecord`` command, or say which extra it is missing."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exit with 2 and one line where its packages are not installed."""
    try:
        from trackrecord.cli.main import main as run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("trackrecord"):
            raise
        sys.stderr.write(
            f"trackrecord: the command needs the package {error.name!r}, which a plain "
            "installation leaves out: pip install 'trackrecord[cli]'\n"
        )
        sys.exit(2)
    run()


if __name__ == "__main__":
    main()
