"""spark-submit jobs/evaluate.py --config conf/cluster.yaml: the evaluate stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "evaluate", *sys.argv[1:]]))
