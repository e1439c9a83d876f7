"""spark-submit jobs/factors.py --config conf/cluster.yaml: the factors stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "factors", *sys.argv[1:]]))
