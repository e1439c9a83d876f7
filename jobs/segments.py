"""spark-submit jobs/segments.py --config conf/cluster.yaml: the segments stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "segments", *sys.argv[1:]]))
