"""A real standalone cluster on loopback: one master and two workers of one core each, from the installed pyspark."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyspark
import pytest

REPO = Path(__file__).parents[2]
SPARK_HOME = Path(pyspark.__file__).parent
SECONDS_TO_START = 60
SECONDS_TO_RUN = 1800


@dataclass(frozen=True)
class Cluster:
    """Where the master listens, and the environment that its processes got."""

    master: str
    environment: dict[str, str]

    def submit(self, job: str, *arguments: str) -> subprocess.CompletedProcess:
        """Runs a job by spark-submit with the packaged project, as the README says."""
        command = [
            str(SPARK_HOME / "bin" / "spark-submit"),
            *("--master", self.master),
            *("--properties-file", "conf/spark-defaults.conf"),
            *("--py-files", "dist/segspark.zip"),
            *("--conf", "spark.executor.memory=1g"),
            *("--conf", "spark.driver.host=127.0.0.1"),
            f"jobs/{job}.py",
            *arguments,
        ]
        return subprocess.run(
            command, cwd=REPO, env=self.environment, capture_output=True, text=True, timeout=SECONDS_TO_RUN, check=False
        )


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def process(command: list[str], environment: dict[str, str], log: Path):
    """A process that ends with the block, whatever happens in it."""
    with log.open("wb") as output:
        running = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()


def alive_workers(page: int) -> int:
    """How many workers the master knows to be alive."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/json/", timeout=5) as answer:
            return json.load(answer)["aliveworkers"]
    except OSError:
        return 0


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    port, page = free_port(), free_port()
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_HOME": str(SPARK_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_WORKER_DIR": str(folder / "work"),
    }
    spark_class = str(SPARK_HOME / "bin" / "spark-class")
    deploy = "org.apache.spark.deploy"
    master = f"spark://127.0.0.1:{port}"
    listen = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page)]
    worker = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0", master]
    with (
        process([spark_class, f"{deploy}.master.Master", *listen], environment, folder / "master.log"),
        process([spark_class, f"{deploy}.worker.Worker", *worker], environment, folder / "worker-1.log"),
        process([spark_class, f"{deploy}.worker.Worker", *worker], environment, folder / "worker-2.log"),
    ):
        deadline = time.monotonic() + SECONDS_TO_START
        while alive_workers(page) < 2:
            if time.monotonic() > deadline:
                pytest.fail(f"the cluster did not start:\n{(folder / 'master.log').read_text()[-2000:]}")
            time.sleep(0.5)
        yield Cluster(master, environment)
