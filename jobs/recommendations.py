"""spark-submit jobs/recommendations.py --config conf/cluster.yaml: the recommendations stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "recommendations", *sys.argv[1:]]))
