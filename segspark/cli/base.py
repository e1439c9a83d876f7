"""What the commands share: the group, the configuration, the published run."""

import functools
from collections.abc import Callable
from typing import Any

import click

from segspark.config import load_config
from segspark.core.errors import InputError
from segspark.core.lake import Lake

DEFAULT_CONFIG = "conf/demo.yaml"


def configured(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --config and --set, and hands the checked configuration to the command."""

    @click.option("--config", "-c", "config_path", default=DEFAULT_CONFIG, show_default=True, help="YAML file.")
    @click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="Overrides a key; may be repeated.")
    @functools.wraps(command)
    def wrapper(config_path: str, overrides: tuple[str, ...], **rest: Any) -> Any:
        return command(load_config(config_path, overrides), **rest)

    return wrapper


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, expose_value=False, help="Show stack traces; may stand anywhere.")
def main_group() -> None:
    """User segments, recommendations and campaign plans from a shop's raw logs, on Spark and Delta Lake."""


def published_run(lake: Lake) -> str:
    """The id of the run that readers see. Raises InputError before the first publication."""
    run_id = lake.published_run()
    if run_id is None:
        raise InputError("publications: nothing was published yet; `segspark run` first")
    return run_id
