"""A real standalone cluster on loopback, from the installed pyspark, with authentication and encryption on."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyspark

REPO = Path(__file__).parents[2]
SPARK_HOME = Path(pyspark.__file__).parent
SPARK_CLASS = str(SPARK_HOME / "bin" / "spark-class")
DEPLOY = "org.apache.spark.deploy"
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
SECONDS_TO_START = 60
SECONDS_TO_RUN = 1800
AUTHENTICATED = {"spark.authenticate": "true", "spark.authenticate.secret": "of-this-test-alone"}
ENCRYPTED = {**AUTHENTICATED, "spark.network.crypto.enabled": "true", "spark.io.encryption.enabled": "true"}


@dataclass(frozen=True)
class Cluster:
    """One master and workers of one core and 1 GB each; all processes end with the context they were made in."""

    master: str
    page: int  # the port of the master's own page
    environment: dict[str, str]
    folder: Path
    stack: ExitStack
    workers: list[subprocess.Popen]

    def add_worker(self) -> None:
        """Starts one more worker."""
        options = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0"]
        command = [SPARK_CLASS, f"{DEPLOY}.worker.Worker", *options, self.master]
        log = self.folder / f"worker-{len(self.workers) + 1}.log"
        self.workers.append(self.stack.enter_context(process(command, self.environment, log)))

    def wait_for(self, workers: int) -> None:
        """Until so many workers are alive. Raises TimeoutError with the master's log."""
        deadline = time.monotonic() + SECONDS_TO_START
        while alive_workers(self.page) < workers:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the cluster did not start:\n{(self.folder / 'master.log').read_text()[-2000:]}")
            time.sleep(0.5)

    def command(self, job: str, arguments: tuple[str, ...], settings: dict[str, str]) -> list[str]:
        """spark-submit with the packaged project, as the README says."""
        given = {"spark.executor.memory": "1g", "spark.driver.host": "127.0.0.1", **ENCRYPTED, **settings}
        return [
            str(SPARK_HOME / "bin" / "spark-submit"),
            *("--master", self.master),
            *("--properties-file", "conf/spark-defaults.conf"),
            *("--py-files", "dist/segspark.zip"),
            *(part for key, value in given.items() for part in ("--conf", f"{key}={value}")),
            f"jobs/{job}.py",
            *arguments,
        ]

    def submit(
        self, job: str, *arguments: str, settings: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a job to its end."""
        return subprocess.run(
            self.command(job, arguments, settings or {}),
            cwd=REPO,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_RUN,
            check=False,
        )

    def start(self, job: str, *arguments: str) -> subprocess.Popen[str]:
        """Begins a job in a process group of its own; both its streams come as one."""
        return subprocess.Popen(
            self.command(job, arguments, {}),
            cwd=REPO,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def executors(self) -> list[int]:
        """The processes of executors on these workers, oldest first."""
        workers = {worker.pid for worker in self.workers}
        pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
        return [pid for pid in pids if parent_of(pid) in workers and EXECUTOR in words_of(pid)]

    def kill_executor(self) -> bool:
        """Ends one executor of this cluster at once; False where none runs at the moment."""
        running = self.executors()
        if running:
            os.kill(running[0], signal.SIGKILL)
        return bool(running)

    def kill_worker(self) -> None:
        """Ends the newest worker at once, with the executor that it runs."""
        worker = self.workers[-1]
        below = [pid for pid in self.executors() if parent_of(pid) == worker.pid]
        for pid in (worker.pid, *below):
            os.kill(pid, signal.SIGKILL)
        worker.wait()


@contextmanager
def standalone(folder: Path, workers: int) -> Iterator[Cluster]:
    """A cluster that ends with the block, whatever happens in it."""
    port, page = free_port(), free_port()
    options = " ".join(f"-D{key}={value}" for key, value in AUTHENTICATED.items())
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_HOME": str(SPARK_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_WORKER_DIR": str(folder / "work"),
        "SPARK_DAEMON_JAVA_OPTS": options,
    }
    listen = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page)]
    with ExitStack() as stack:
        command = [SPARK_CLASS, f"{DEPLOY}.master.Master", *listen]
        stack.enter_context(process(command, environment, folder / "master.log"))
        cluster = Cluster(f"spark://127.0.0.1:{port}", page, environment, folder, stack, [])
        for _ in range(workers):
            cluster.add_worker()
        cluster.wait_for(workers)
        yield cluster


@contextmanager
def process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen]:
    """A process that ends with the block."""
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


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def alive_workers(page: int) -> int:
    """How many workers the master knows to be alive."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/json/", timeout=5) as answer:
            return json.load(answer)["aliveworkers"]
    except OSError:
        return 0


def parent_of(pid: int) -> int:
    """The process that started it; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def words_of(pid: int) -> list[str]:
    """The command of a process; nothing where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def make_package() -> None:
    """Makes dist/segspark.zip as `make package` does."""
    subprocess.run(["make", "package", f"PYTHON={sys.executable}"], cwd=REPO, check=True, capture_output=True)
