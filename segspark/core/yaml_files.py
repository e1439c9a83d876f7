"""YAML that people write: read into plain values, with one line for whatever is wrong.

PyYAML's safe loader takes the last of several equal keys without a word, expands aliases of aliases without a bound,
and lets errors of Python's own types through.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from segspark.core.errors import ConfigError

MOST_SIGNS = 40  # of a value that are shown
MOST_VALUES = 100_000  # in one file, those that aliases repeat counted each time


def read_yaml(path: Path) -> Any:
    """The file's content. Raises ConfigError, naming the file and the line or key, where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; give --config the path of a YAML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> Any:
    """The text's content. `name` begins the line of a ConfigError."""
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return None
            _require_bounded(root, name)
            _require_values(loader, root, name)
            return loader.construct_document(root)
        finally:
            loader.dispose()
    except RecursionError:
        raise ConfigError(f"{name}: is nested too deep; mend the YAML") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(f"{name}: {problem}{line}; mend the YAML") from error


def _require_bounded(root: Node, name: str) -> None:
    sizes: dict[int, int] = {}

    def size(node: Node, above: frozenset[int]) -> int:
        if id(node) in above:
            raise ConfigError(f"{name}: an alias in line {node.start_mark.line + 1} holds itself; write the value out")
        if id(node) not in sizes:
            sizes[id(node)] = 1 + sum(size(child, above | {id(node)}) for _, child in _children(node))
        return sizes[id(node)]

    if size(root, frozenset()) > MOST_VALUES:
        raise ConfigError(f"{name}: its aliases stand for more than {MOST_VALUES:,} values; write fewer")


def _require_values(loader: yaml.SafeLoader, root: Node, name: str) -> None:
    """Raises ConfigError for a key that comes twice, and a value that is none, as 2024-02-30 is no date."""
    waiting = [("", root)]
    while waiting:
        place, node = waiting.pop()
        if isinstance(node, ScalarNode):
            try:
                loader.construct_object(node)
            except ValueError as error:
                is_long = len(node.value) > MOST_SIGNS
                told = f"{node.value[:MOST_SIGNS]}…: the number is too long" if is_long else f"{node.value}: {error}"
                raise ConfigError(f"{name}: {place}: {told}") from None
        seen: set[str] = set()
        for key, child in _children(node):
            if isinstance(node, MappingNode) and key in seen:
                line = child.start_mark.line + 1
                raise ConfigError(f"{name}: {_below(place, key)} comes twice, again in line {line}; leave one")
            seen.add(key)
            waiting.append((_below(place, key), child))


def _children(node: Node) -> Iterator[tuple[str, Node]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield str(key.value), value
    elif isinstance(node, SequenceNode):
        for place, value in enumerate(node.value):
            yield str(place), value


def _below(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
