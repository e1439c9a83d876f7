"""spark-submit jobs/run.py --config conf/cluster.yaml: the whole run, or the stages that --only names."""

import argparse
import sys
from collections.abc import Sequence

from segspark.config import load_config
from segspark.core.ending import end_process
from segspark.core.errors import SegsparkError
from segspark.pipeline import RunRequest, open_lake, run_pipeline


def main(arguments: Sequence[str]) -> int:
    """Runs what the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser(prog="segspark")
    parser.add_argument("--config", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C")
    parser.add_argument("--as-of")
    parser.add_argument("--only", action="append", default=[], metavar="STAGE")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--wait", action="store_true")
    parser.add_argument("--debug", action="store_true")
    options = parser.parse_args(arguments)
    as_of = [f"as_of={options.as_of}"] if options.as_of else []
    try:
        config = load_config(options.config, (*options.set, *as_of))
        request = RunRequest(tuple(options.only), options.resume, options.force, options.wait)
        run_pipeline(open_lake(config), config, request, lambda line: print(line, flush=True))
        return 0
    except SegsparkError as error:
        if options.debug:
            raise
        print(f"segspark: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
