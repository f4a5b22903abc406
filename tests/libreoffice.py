"""LibreOffice Calc itself, driven as a person would: open a file, type into cells, save it as something else.

Skips the tests that want it where it is not installed; on Debian it is libreoffice-calc-nogui and python3-uno.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

SECONDS = 120
_DRIVER = Path(__file__).with_name("libreoffice_driver.py")
#: How its windows open and save text when nothing is changed in them: comma, quotation marks, UTF-8, every column as
#: it thinks fit, dates and large numbers looked for, cells saved as they are shown (Filter Options for CSV Files).
_TEXT = {"FilterName": "Text - txt - csv (StarCalc)"}
_OPEN = {".csv": _TEXT | {"FilterOptions": "44,34,76,1,,0,false,true"}, ".xlsx": {}}
_SAVE = {
    ".csv": _TEXT | {"FilterOptions": "44,34,76,1,,0,false,true,false"},
    ".xlsx": {"FilterName": "Calc MS Excel 2007 XML"},
    ".ods": {"FilterName": "calc8"},
}
#: A file, what is typed into which cells, and how it is saved.
Calc = Callable[[bytes, str, Mapping[str, str], str], bytes]


@pytest.fixture
def calc(tmp_path: Path) -> Calc:
    """A function that opens content (of a kind such as `.csv`), types into cells, and returns it saved as a kind."""
    python = next((path for path in ("/usr/bin/python3", shutil.which("python3")) if path and _has_uno(path)), None)
    if python is None or shutil.which("soffice") is None:
        pytest.skip("No LibreOffice Calc with its Python bindings on this machine")

    def _calc(content: bytes, kind: str, typed: Mapping[str, str], save_as: str) -> bytes:
        source, target = tmp_path / f"list{kind}", tmp_path / f"saved{save_as}"
        source.write_bytes(content)
        job = {
            "pipe": f"shielding{abs(hash(tmp_path))}",
            "profile": str(tmp_path / "office"),
            "source": str(source),
            "target": str(target),
            "open": _OPEN[kind],
            "save": _SAVE[save_as],
            "typed": dict(typed),
        }
        subprocess.run(
            [python, str(_DRIVER)], input=json.dumps(job), text=True, check=True, capture_output=True, timeout=SECONDS
        )
        return target.read_bytes()

    return _calc


def _has_uno(python: str) -> bool:
    return subprocess.run([python, "-c", "import uno"], capture_output=True, check=False).returncode == 0
