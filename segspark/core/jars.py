"""Delta's jars: which they are, and where an earlier start left them."""

from importlib import metadata
from pathlib import Path

DELTA_PACKAGES = ("delta-spark_4.2_2.13", "delta-storage")


def delta_coordinates() -> list[str]:
    """The Maven coordinates of the two jars that Delta needs, for the installed delta-spark."""
    version = metadata.version("delta-spark")
    return [f"io.delta:{name}:{version}" for name in DELTA_PACKAGES]


def resolved_delta_jars() -> list[Path]:
    """Delta's jars as an earlier start left them on this machine; empty where they were never resolved."""
    version = metadata.version("delta-spark")
    folders = [Path.home() / name / "jars" for name in (".ivy2.5.2", ".ivy2")]
    for folder in folders:
        jars = [folder / f"io.delta_{name}-{version}.jar" for name in DELTA_PACKAGES]
        if all(jar.exists() for jar in jars):
            return jars
    return []
