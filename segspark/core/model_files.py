"""Reads a YAML file that stands beside the configuration into its checked model."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from segspark.core.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


def read_model(path: str, model: type[Model], key: str) -> Model:
    """The file as the model. `key` of the configuration names it.

    ConfigError where the file is absent or no YAML, with the key; where it is wrong, with the path of the key inside.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        kind = key.rpartition(".")[2]
        raise ConfigError(f"{key}: {path} cannot be read; give the path of a {kind} file") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{key}: {path} is no YAML: {' '.join(str(error).split())}") from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        text = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{path}: {where}: {text}" if where else f"{path}: {text}") from None
