"""What the commands share: the group, the configuration, the lake, the published run."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from segspark.config import Config, load_config
from segspark.core.errors import ConfigError, InputError
from segspark.core.files import is_catalog, local_path
from segspark.core.reader import Reader

if TYPE_CHECKING:
    from segspark.core.folder_lake import FolderLake
    from segspark.core.lake import Lake

DEFAULT_CONFIG = "conf/demo.yaml"
MODULES = {
    **dict.fromkeys(("run", "tune", "publish", "rollback"), "runs"),
    **dict.fromkeys(("status", "query", "views", "serve", "user", "report", "export"), "reading"),
    **dict.fromkeys(("pin", "prune", "optimize", "shop", "answer", "doctor"), "keeping"),
}


class CommandGroup(click.Group):
    """Imports a command's module when it is called: whoever looks need not wait for what a run needs."""

    def list_commands(self, context: click.Context) -> list[str]:
        """All commands by name."""
        return sorted(MODULES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of that name."""
        if name in MODULES:
            importlib.import_module(f"segspark.cli.{MODULES[name]}")
        return super().get_command(context, name)


def configured(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --config and --set, and hands the checked configuration to the command."""

    @click.option("--config", "-c", "config_path", default=DEFAULT_CONFIG, show_default=True, help="YAML file.")
    @click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="Overrides a key; may be repeated.")
    @functools.wraps(command)
    def wrapper(config_path: str, overrides: tuple[str, ...], **rest: Any) -> Any:
        return command(load_config(config_path, overrides), **rest)

    return wrapper


engine_option = click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    help="What reads the lake. Default: duckdb, without a Java runtime, where the lake is a folder; else spark.",
)


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, expose_value=False, help="Show stack traces; may stand anywhere.")
def main_group() -> None:
    """User segments, recommendations and campaign plans from a shop's raw logs, on Spark and Delta Lake."""


def reading_lake(config: Config, engine: str | None) -> Lake | FolderLake:
    """The lake for who only reads it. Raises ConfigError where that engine cannot."""
    folder = None if is_catalog(config.lake) else local_path(config.lake)
    if engine is None:
        engine = "spark" if folder is None else "duckdb"
    if engine == "spark":
        from segspark.pipeline import open_lake

        return open_lake(config)
    if folder is None:
        raise ConfigError(f"--engine duckdb: it reads a lake in a folder, which {config.lake} is not; --engine spark")
    from segspark.core.folder_lake import FolderLake

    return FolderLake(str(folder))


def published_run(lake: Reader) -> str:
    """The id of the run that readers see. Raises InputError before the first publication."""
    run_id = lake.published_run()
    if run_id is None:
        raise InputError("publications: nothing was published yet; `segspark run` first")
    return run_id
