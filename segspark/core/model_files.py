"""Reads a YAML file that stands beside the configuration into its checked model."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from segspark.core.errors import ConfigError
from segspark.core.yaml_files import parse_yaml

Model = TypeVar("Model", bound=BaseModel)


def read_model(path: str, model: type[Model], key: str) -> Model:
    """The file as the model. `key` of the configuration names it.

    ConfigError where the file is absent or no YAML, with the key; where it is wrong, with the path of the key inside.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        kind = key.rpartition(".")[2]
        raise ConfigError(f"{key}: {path} cannot be read; give the path of a {kind} file") from None
    content = parse_yaml(text, f"{key}: {path}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        text = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{path}: {where}: {text}" if where else f"{path}: {text}") from None
