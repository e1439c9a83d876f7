"""A process that sees the masked copy and what it needs to run, and nothing else of the machine's files.

The server has no authorisation of its own: whoever may ask can also name a path, run a script (`TRANSFORM`) or load a
jar. So the system keeps it from the lake: bubblewrap gives it a file system of its own, in which the lake is not.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from segspark.core.errors import ConfigError
from segspark.core.session import resolved_delta_jars

SYSTEM = (  # programs, their libraries, and what of /etc they look into; no password, key or configuration of others
    *("/usr", "/bin", "/lib", "/lib64", "/sbin"),
    *("/etc/alternatives", "/etc/group", "/etc/hosts", "/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf"),
    *("/etc/passwd", "/etc/resolv.conf", "/etc/ssl/certs"),
)
PACKAGE = Path(__file__).parents[2]
TOOL = "bwrap"


def readable(folder: Path, more: Sequence[Path] = ()) -> list[Path]:
    """What the server may read: the system, Python, this package, Delta's jars and the copy in `folder`."""
    python = {Path(sys.prefix), Path(sys.base_prefix)}
    jars = {jar.parent for jar in resolved_delta_jars()}
    java = sorted(Path("/etc").glob("java-*"))  # settings of Debian's Java
    wanted = [*map(Path, SYSTEM), *java, *sorted(python | jars), PACKAGE, folder, *more]
    return [path for path in wanted if path.exists()]


def sandboxed(
    command: Sequence[str],
    folder: Path,
    hidden: Sequence[Path],
    environment: Mapping[str, str],
    more: Sequence[Path] = (),
) -> list[str]:
    """The command inside a file system of its own, with `environment` as its only variables.

    Raises ConfigError where bubblewrap is not installed, or where something that must stay `hidden` lies in, or holds,
    a place that the server reads.
    """
    if shutil.which(TOOL) is None:
        raise ConfigError(
            "serve.sandbox: bubblewrap is not installed (Debian: apt-get install bubblewrap); install it, or set"
            " `none` where the server runs in a container of its own that the lake is not mounted in"
        )
    places = readable(folder, more)
    for secret in hidden:
        _refuse_to_show(secret, places)
    binds = [part for path in places for part in ("--ro-bind", str(path), str(path))]
    variables = [part for name, value in environment.items() for part in ("--setenv", name, value)]
    isolation = ["--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev", "--unshare-pid", "--unshare-ipc"]
    return [TOOL, *isolation, *binds, "--die-with-parent", "--clearenv", *variables, "--chdir", "/tmp", *command]


def _refuse_to_show(secret: Path, places: Sequence[Path]) -> None:
    real = secret.resolve()
    for place in (each.resolve() for each in places):
        if real.is_relative_to(place) or place.is_relative_to(real):
            raise ConfigError(
                f"serve.folder: the lake {secret} and {place}, which the server reads, hold one another; keep the lake"
                " and the copy in places of their own"
            )
