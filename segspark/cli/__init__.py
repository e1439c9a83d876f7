"""The `segspark` command."""

import sys

import click

from segspark.cli import keeping, reading, runs
from segspark.cli.base import main_group
from segspark.core.errors import SegsparkError

__all__ = ["keeping", "main", "main_group", "one_line", "reading", "runs"]  # imported for their commands


def main(arguments: list[str] | None = None) -> None:
    """Runs the command; exits with its code. Errors are one line unless --debug."""
    given = sys.argv[1:] if arguments is None else arguments
    rest = [argument for argument in given if argument != "--debug"]  # may stand anywhere
    try:
        sys.exit(main_group.main(rest, prog_name="segspark", standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        click.echo(f"segspark: {error.format_message()}", err=True)
        sys.exit(2)
    except Exception as error:
        if rest != given:
            raise
        click.echo(f"segspark: {one_line(error)}", err=True)
        sys.exit(getattr(error, "exit_code", 1))


def one_line(error: Exception) -> str:
    """Our own errors as they are; of any other its kind and first line, and how to see more."""
    if isinstance(error, SegsparkError):
        return str(error)
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {first[:300]} (--debug shows the trace)"
