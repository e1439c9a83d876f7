"""spark-submit jobs/segments.py --config conf/cluster.yaml: the segments stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "segments", *sys.argv[1:]]))
