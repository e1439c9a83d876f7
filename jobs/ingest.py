"""spark-submit jobs/ingest.py --config conf/cluster.yaml: the ingest stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "ingest", *sys.argv[1:]]))
