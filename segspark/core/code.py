"""Digests of the package's source: of all of it, and of what one part of a stage stands on. Also from inside a zip."""

import ast
import hashlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata

import segspark

CORE = "segspark.core"
# Whose versions change numbers; the rest of what is installed reads and shows.
LIBRARIES = ("numpy", "pandas", "pyarrow", "pyspark", "scikit-learn", "scipy", "statsmodels")


@cache
def code_version() -> str:
    """The package's version and a digest of its source."""
    return f"{segspark.__version__}+{_digest(_modules())[:8]}"


@cache
def code_of(module: str) -> str:
    """Digest of the source of a module's package, of the core, and of all of segspark that these import."""
    package = module.rpartition(".")[0]
    known = _modules()
    found = {name for name in known for room in (package, CORE) if name == room or name.startswith(f"{room}.")}
    new = found
    while new:
        new = {each for name in new for each in _imported(name) if each in known} - found
        found = found | new
    return _digest(found)


@cache
def libraries() -> str:
    """The versions of the libraries that results depend on."""
    return " ".join(f"{name}={metadata.version(name)}" for name in LIBRARIES)


@cache
def _modules() -> dict[str, bool]:
    """Every module of the package, in order, and whether it is a package itself."""
    return {module.name: module.ispkg for module in pkgutil.walk_packages(segspark.__path__, "segspark.")}


def _digest(modules: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(modules):
        digest.update(name.encode() + _source(name))
    return digest.hexdigest()


def _source(name: str) -> bytes:
    place = name.removeprefix("segspark.").replace(".", "/")
    return pkgutil.get_data("segspark", f"{place}/__init__.py" if _modules()[name] else f"{place}.py") or b""


def _imported(name: str) -> Iterator[str]:
    """What a module imports by its full name, wherever in it, and the packages above that."""
    for node in ast.walk(ast.parse(_source(name))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for imported in names:
            parts = imported.split(".")
            yield from (".".join(parts[:end]) for end in range(2, len(parts) + 1))
