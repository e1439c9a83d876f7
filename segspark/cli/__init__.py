"""The `segspark` command."""

import sys
import traceback

import click

from segspark.cli.base import main_group
from segspark.core.ending import end_process
from segspark.core.errors import SegsparkError

__all__ = ["main", "main_group", "one_line"]


def main(arguments: list[str] | None = None) -> None:
    """Runs the command; exits with its code. Errors are one line unless --debug."""
    if arguments is not None:  # a caller in this process, which goes on
        sys.exit(_exit_code(arguments))
    end_process(_exit_code(sys.argv[1:]))


def _exit_code(given: list[str]) -> int:
    rest = [argument for argument in given if argument != "--debug"]  # may stand anywhere
    try:
        return main_group.main(rest, prog_name="segspark", standalone_mode=False) or 0
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        click.echo(f"segspark: {error.format_message()}", err=True)
        return 2
    except Exception as error:
        if rest != given:
            traceback.print_exc()
            return 1
        click.echo(f"segspark: {one_line(error)}", err=True)
        return getattr(error, "exit_code", 1)


def one_line(error: Exception) -> str:
    """Our own errors as they are; of any other its kind and first line, and how to see more."""
    if isinstance(error, SegsparkError):
        return str(error)
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {first[:300]} (--debug shows the trace)"
