"""spark-submit jobs/features.py --config conf/cluster.yaml: the features stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "features", *sys.argv[1:]]))
