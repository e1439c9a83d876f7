"""spark-submit jobs/marts.py --config conf/cluster.yaml: the marts stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "marts", *sys.argv[1:]]))
