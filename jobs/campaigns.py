"""spark-submit jobs/campaigns.py --config conf/cluster.yaml: the campaigns stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "campaigns", *sys.argv[1:]]))
