"""spark-submit jobs/publish.py --config conf/cluster.yaml: the publish stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "publish", *sys.argv[1:]]))
