"""spark-submit jobs/factors.py --config conf/cluster.yaml: the factors stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "factors", *sys.argv[1:]]))
