"""spark-submit jobs/similarity.py --config conf/cluster.yaml: the similarity stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "similarity", *sys.argv[1:]]))
