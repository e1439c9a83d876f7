"""spark-submit jobs/evaluate.py --config conf/cluster.yaml: the evaluate stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "evaluate", *sys.argv[1:]]))
