"""Whether this machine can run segspark. Standard library only, and readable by old Pythons: set-up runs it first."""

import os
import re
import shutil
import subprocess
import sys

LEAST_PYTHON = (3, 10)
LEAST_JAVA = 17
LEAST_MEMORY_GIB = 3.5


def problems():
    """What stands in the way, one readable line each; empty where all is well."""
    found = [python_problem(sys.version_info), java_problem(java_version()), memory_problem(memory_gib())]
    return [line for line in found if line]


def python_problem(version):
    """What is wrong with the running Python, or None."""
    if tuple(version[:2]) >= LEAST_PYTHON:
        return None
    return (
        f"Python {version[0]}.{version[1]} is too old: install Python 3.10 or newer, or name one:"
        " make PYTHON=python3.11 setup"
    )


def java_problem(version):
    """What is wrong with Java of that major version (None: not found), or None."""
    if version is None:
        return "Java is missing: install a JDK or JRE 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"
    if version < LEAST_JAVA:
        return f"Java {version} is too old: install Java 17 or newer, or point JAVA_HOME at one"
    return None


def memory_problem(gib):
    """What is wrong with that much memory, or None."""
    if gib is None or gib >= LEAST_MEMORY_GIB:
        return None
    return f"{gib:.1f} GiB of memory are too little: Spark needs {LEAST_MEMORY_GIB} GiB or more"


def java_version():
    """The major version of the Java that Spark would start, or None."""
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    if not java or not os.path.exists(java):
        return None
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, check=False)
    except OSError:
        return None
    text = answer.stderr.decode("utf-8", "replace")
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match.group(1)) if match else None


def memory_gib():
    """Memory that this process may use, in GiB: the machine's, or its control group's if less; None if unknown."""
    sizes = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as file:
                sizes.append(int(file.read()))
        except (OSError, ValueError):
            pass  # no such control group, or no limit
    return min(sizes) / 2**30 if sizes else None


if __name__ == "__main__":
    lines = problems()
    for line in lines:
        sys.stderr.write("segspark: " + line + "\n")
    sys.exit(2 if lines else 0)
