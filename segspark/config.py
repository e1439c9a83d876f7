"""The whole configuration: one YAML file, its overlays and overrides, checked before Spark starts."""

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from segspark.bi.config import MartsConfig, ReportConfig
from segspark.bi.serving.config import ServeConfig
from segspark.campaigns.catalogue import load_strategies
from segspark.campaigns.config import CampaignsConfig
from segspark.core.config import HousekeepingConfig, SessionConfig
from segspark.core.errors import ConfigError
from segspark.core.files import is_catalog
from segspark.core.yaml_files import parse_yaml, read_yaml
from segspark.features.config import FeaturesConfig
from segspark.ingest.config import IngestConfig, SourcesConfig
from segspark.recommend.config import RecommendConfig
from segspark.segments.config import SegmentsConfig
from segspark.segments.personas import load_catalogue

UNFIT = re.compile(r"[`\\\[\]]|%[0-9A-Fa-f]{2}")  # of a lake's folder: what its tables' readers take for something else


class Config(BaseModel):
    """Everything that a run depends on; each room configures itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lake: str = Field(min_length=1)  # a folder, an object-store URL, or catalog.schema
    as_of: date | None = None  # nothing on or after this day counts; default: the day after the last row
    seed: int = Field(7, ge=0)  # of everything that draws
    sources: SourcesConfig
    ingest: IngestConfig = IngestConfig()
    features: FeaturesConfig = FeaturesConfig()
    segments: SegmentsConfig = SegmentsConfig()
    recommend: RecommendConfig = RecommendConfig()
    campaigns: CampaignsConfig = CampaignsConfig()
    marts: MartsConfig = MartsConfig()  # changes no result
    report: ReportConfig = ReportConfig()
    serve: ServeConfig = ServeConfig()  # the SQL endpoint: changes no result
    housekeeping: HousekeepingConfig = HousekeepingConfig()  # changes no result
    spark: SessionConfig = SessionConfig()  # execution only: changes no result

    @field_validator("lake")
    @classmethod
    def _lake_can_be_a_folder(cls, lake: str) -> str:
        if is_catalog(lake) or "://" in lake:
            return lake
        unfit = UNFIT.search(str(Path(lake).absolute()))
        if unfit:
            raise ValueError(
                f"has {unfit.group()} in its path, with which tables cannot be opened; choose another folder"
            )
        if Path(lake).exists() and not Path(lake).is_dir():
            raise ValueError("is a file; give a folder, an object-store URL, or catalog.schema")
        return lake

    @model_validator(mode="after")
    def _graphs_have_neighbours(self) -> "Config":
        graphs = [name for name, scheme in self.segments.schemes.items() if scheme.source == "graph"]
        if graphs and self.recommend.user_similarity_max_users == 0:
            key = f"segments.others.{graphs[0]}" if graphs[0] in self.segments.others else f"segments.{graphs[0]}"
            raise ValueError(
                f"{key}.source: graph needs user_similarity, which recommend.user_similarity_max_users: 0 switches off;"
                " raise it above the number of users, or choose another source"
            )
        return self

    @model_validator(mode="after")
    def _campaigns_have_segments(self) -> "Config":
        if self.campaigns.scheme not in self.segments.schemes:
            known = ", ".join(self.segments.schemes)
            raise ValueError(f"campaigns.scheme: {self.campaigns.scheme} is no scheme; known are {known}")
        return self

    def earned_names(self) -> frozenset[str] | None:
        """The names that segments of the campaigns' scheme can earn; None where they follow from the data."""
        scheme = self.segments.schemes[self.campaigns.scheme]
        if scheme.names != "personas" or scheme.source == "raw":
            return None
        return frozenset(load_catalogue(self.segments.personas).personas)

    def digest(self) -> str:
        """Of all that a result depends on in the configuration, with personas and strategies; as_of is the run's."""
        content = self.model_dump(mode="json", exclude={"spark", "housekeeping", "lake", "as_of", "marts", "serve"})
        del content["recommend"]["tuning"]  # changes what `segspark tune` tries, not what a run makes
        content["personas"] = load_catalogue(self.segments.personas).model_dump(mode="json")
        if self.campaigns.strategies is not None:
            strategies = load_strategies(self.campaigns.strategies, self.earned_names())
            content["strategies"] = strategies.model_dump(mode="json")
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def load_config(path: str, overrides: tuple[str, ...] = ()) -> Config:
    """The checked configuration of a YAML file. `overrides` are `a.b=c`, with c read as YAML.

    A file may say `extends: other.yaml` (a path beside itself): mappings are merged, all else replaced. Raises
    ConfigError with the path of the key and what is allowed.
    """
    content = _read_file(Path(path))
    for override in overrides:
        _apply(content, override)
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error, content)}") from error


def explain(error: ValidationError, content: dict[str, Any]) -> str:
    """The first problem in one line: where, what, and what is allowed; how many more there are."""
    problems = error.errors()
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"unknown key; known here: {', '.join(_known_keys(first['loc'][:-1]))}"
    elif first["type"] == "missing":
        message = "is missing; give it a value"
    elif not isinstance(first["input"], dict | list) and repr(first["input"]) not in message:
        message = f"{message}, not {first['input']!r}"
    names_a_key = re.match(r"[\w.]+: ", message) is not None  # a room's own check may name the key below it
    text = message if not where else f"{where}.{message}" if names_a_key else f"{where}: {message}"
    return text if len(problems) == 1 else f"{text} (and {len(problems) - 1} more)"


def _read_file(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The keys of a file, over those of what it extends; `above` are the files that extend it."""
    if path.resolve() in above:
        raise ConfigError(f"{path}: extends itself, by way of {len(above)} files; take one `extends` away")
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: holds no keys; see conf/ for examples")
    below = content.pop("extends", None)
    if below is None:
        return content
    if not isinstance(below, str):
        raise ConfigError(f"{path}: extends: give the path of a YAML file, not {below!r}")
    return _merged(_read_file(path.parent / below, (*above, path.resolve())), content)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {k: _merged(below[k], v) if _are_mappings(below.get(k), v) else v for k, v in above.items()}
    return {**below, **both}


def _are_mappings(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)


def _apply(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {override}: say it as a.b=value")
    *parents, last = key.strip().split(".")
    place = content
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise ConfigError(f"--set {override}: {parent} holds a value, not keys")
    place[last] = parse_yaml(value, f"--set {key.strip()}")


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys that the model at a location of the configuration knows."""
    model: Any = Config
    for part in location:
        fields = getattr(model, "model_fields", {})
        if part not in fields:
            continue  # a key of a mapping, or the tag of a union
        model = _model_in(fields[part].annotation)
    return sorted(getattr(model, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    """The model in an annotation such as `Model | None` or `dict[str, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [_model_in(argument) for argument in get_args(annotation)]
    return next((model for model in found if model is not None), None)
