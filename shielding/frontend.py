"""Installs what the browser needs: NHS.UK frontend into `static/`, and for tests a Chromium.

NHS.UK's prebuilt files cannot be served as they are: their style sheet asks another host for a
font and names absolute `/assets/` addresses, and source maps are not shipped. `--browser` finds
Debian's Chromium, installs it where that is allowed, and otherwise says what to do.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NHSUK = ROOT / "node_modules" / "nhsuk-frontend" / "dist" / "nhsuk"
STATIC = ROOT / "static"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def build(*, source: Path = NHSUK, target: Path = STATIC) -> None:
    """Writes `nhsuk/` below `target`: one style sheet, one script, and their images."""
    folder = target / "nhsuk"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    css = (source / "nhsuk-frontend.min.css").read_text()
    css = re.sub(r"@font-face\{[^}]*\}", "", css)
    css = css.replace("url(/assets/", "url(assets/")
    (folder / "nhsuk-frontend.min.css").write_text(_without_source_map(css))
    (folder / "nhsuk-frontend.min.js").write_text(_without_source_map((source / "nhsuk-frontend.min.js").read_text()))
    shutil.copytree(source / "assets", folder / "assets")


def _without_source_map(text: str) -> str:
    return re.sub(r"/[/*]# sourceMappingURL=.*", "", text)


def browser() -> str | None:
    """Returns the path of a Chromium, or None."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def install_browser() -> str | None:
    """Returns the path of a Chromium, installed with apt if this is Debian and we may; else None."""
    if browser() is None and shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update"], check=False, **quiet)  # type: ignore[call-overload]
        subprocess.run(["apt-get", "install", "-y", "chromium"], check=False, **quiet)  # type: ignore[call-overload]
    return browser()


def main() -> int:
    """Runs from the command line; the exit code says whether what was asked for is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", action="store_true", help="find or install Chromium instead")
    if parser.parse_args().browser:
        if install_browser():
            return 0
        sys.stderr.write("No Chromium: install it (on Debian: sudo apt-get install chromium), then try again.\n")
        return 1
    build()
    return 0


if __name__ == "__main__":
    sys.exit(main())
