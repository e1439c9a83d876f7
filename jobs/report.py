"""spark-submit jobs/report.py --config conf/cluster.yaml: the report stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "report", *sys.argv[1:]]))
