"""spark-submit jobs/similarity.py --config conf/cluster.yaml: the similarity stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "similarity", *sys.argv[1:]]))
