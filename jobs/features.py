"""spark-submit jobs/features.py --config conf/cluster.yaml: the features stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "features", *sys.argv[1:]]))
