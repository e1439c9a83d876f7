"""spark-submit jobs/recommendations.py --config conf/cluster.yaml: the recommendations stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "recommendations", *sys.argv[1:]]))
