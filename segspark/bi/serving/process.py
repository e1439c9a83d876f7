"""The server as a process of its own: how it is started, watched and ended."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from segspark.bi.serving.config import ServeConfig
from segspark.bi.serving.sandbox import PACKAGE, sandboxed
from segspark.bi.serving.server import PASSWORD, READY
from segspark.core.errors import SegsparkError

PASSED_ON = ("HOME", "JAVA_HOME", "LANG", "PATH", PASSWORD)  # of this process's variables
LINES_TOLD = 3  # of the server's output, where it ends by itself
SECONDS_TO_END = 20


def hive_settings(config: ServeConfig) -> dict[str, str]:
    """The settings of HiveServer2, without the keystore's password."""
    settings = {
        "hive.server2.thrift.bind.host": config.host,
        "hive.server2.thrift.port": str(config.port),
        "hive.server2.enable.doAs": "false",
        "hive.server2.authentication": config.authentication.upper(),
    }
    if config.authentication == "ldap":
        settings["hive.server2.authentication.ldap.url"] = str(config.ldap_url)
        settings["hive.server2.authentication.ldap.userDNPattern"] = str(config.ldap_user_pattern)
    if config.keystore is not None:
        settings["hive.server2.use.SSL"] = "true"
        settings["hive.server2.keystore.path"] = str(Path(config.keystore).resolve())
    return settings


@contextlib.contextmanager
def running(config: ServeConfig, folder: Path, hidden: Sequence[Path]) -> Iterator[subprocess.Popen]:
    """The server over a folder with a copy; ends with the block. Raises SegsparkError where it does not start."""
    process = subprocess.Popen(
        server_command(config, folder, hidden),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=server_environment(),
    )
    try:
        _wait_until_ready(process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()


def server_command(config: ServeConfig, folder: Path, hidden: Sequence[Path]) -> list[str]:
    """The server's command; in a sandbox unless the configuration says that something else keeps it apart."""
    command = [sys.executable, "-m", "segspark.bi.serving.server", str(folder), config.driver_memory]
    if config.sandbox == "none":
        return command
    keys = [Path(config.keystore).resolve()] if config.keystore else []
    return sandboxed(command, folder, hidden, server_environment(), keys)


def server_environment() -> dict[str, str]:
    """The only variables that the server has: nothing that leads to the lake or opens an object store."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed, "PYTHONPATH": str(PACKAGE.parent), "PYTHONUNBUFFERED": "1", "SPARK_LOCAL_IP": "127.0.0.1"}


def watch(process: subprocess.Popen, seconds: float, look: Callable[[], None]) -> None:
    """Looks every so often until the server ends. Raises SegsparkError where it ended by itself with an error."""
    while True:
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            look()
            continue
        if code:
            raise SegsparkError(f"serve: the server ended with {code}; start it again")
        return


def _drain(output: IO[str]) -> None:
    """Reads what nobody looks at any more, so that the server never waits for a reader."""
    for _ in output:
        pass


def _wait_until_ready(process: subprocess.Popen) -> None:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        if line.strip() == READY:
            threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
            return
        lines.append(line.strip())
    told = " | ".join(line for line in lines if line and not line.startswith("at "))
    raise SegsparkError(f"serve: the server did not start: {told[-500:]}")
