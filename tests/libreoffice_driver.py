"""Opens, types and saves in LibreOffice Calc. Runs in the Python that has its bindings, told what to do by stdin."""

import json
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

job = json.load(sys.stdin)
address = f"uno:pipe,name={job['pipe']};urp;StarOffice.ComponentContext"
office = subprocess.Popen(
    [
        "soffice",
        "--headless",
        "--norestore",
        "--nologo",
        f"--accept=pipe,name={job['pipe']};urp;",
        f"-env:UserInstallation={uno.systemPathToFileUrl(job['profile'])}",
    ]
)


def options(**values):
    return tuple(PropertyValue(name, 0, value, 0) for name, value in values.items())


try:
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    while True:
        try:
            remote = resolver.resolve(address)
            break
        except NoConnectException:
            if office.poll() is not None:
                raise
            time.sleep(0.2)
    desktop = remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
    source, target = (uno.systemPathToFileUrl(job[name]) for name in ("source", "target"))
    document = desktop.loadComponentFromURL(source, "_blank", 0, options(Hidden=True, **job["open"]))
    sheet = document.Sheets.getByIndex(0)
    for cell, typed in job["typed"].items():
        sheet.getCellRangeByName(cell).FormulaLocal = typed
    document.storeToURL(target, options(**job["save"]))
    document.close(True)
finally:
    office.terminate()
    office.wait()
