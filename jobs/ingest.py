"""spark-submit jobs/ingest.py --config conf/cluster.yaml: the ingest stage alone."""

import sys

from jobs.run import main
from segspark.core.ending import end_process

if __name__ == "__main__":
    end_process(main(["--only", "ingest", *sys.argv[1:]]))
