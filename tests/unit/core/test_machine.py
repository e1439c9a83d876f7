import subprocess
import sys
from pathlib import Path

import pytest

from segspark.core import machine

SCRIPT = Path(machine.__file__)


def test_an_old_python_is_told_what_to_install():
    assert "install Python 3.10" in machine.python_problem((3, 8, 1))
    assert machine.python_problem((3, 10, 0)) is None


@pytest.mark.parametrize(("version", "words"), [(None, "Java is missing"), (11, "Java 11 is too old")])
def test_a_missing_or_old_java_is_told_what_to_install(version, words):
    assert words in machine.java_problem(version)
    assert machine.java_problem(17) is None


def test_too_little_memory_is_told_how_much_is_needed():
    assert "2.0 GiB of memory are too little" in machine.memory_problem(2.0)
    assert machine.memory_problem(None) is None


def run_without_java(path, **environment):
    command = [sys.executable, str(SCRIPT)]
    return subprocess.run(command, env={"PATH": str(path), **environment}, capture_output=True, text=True, check=False)


def test_setup_on_a_machine_without_java_ends_with_one_line_and_code_2(tmp_path):
    answer = run_without_java(tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.startswith("segspark: Java is missing: install")
    assert answer.stderr.count("\n") == 1


def test_an_old_java_is_found_by_what_it_says_of_itself(tmp_path):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    answer = run_without_java("/usr/bin:/bin", JAVA_HOME=str(tmp_path))
    assert "Java 8 is too old" in answer.stderr
