"""spark-submit jobs/marts.py --config conf/cluster.yaml: the marts stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "marts", *sys.argv[1:]]))
