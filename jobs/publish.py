"""spark-submit jobs/publish.py --config conf/cluster.yaml: the publish stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "publish", *sys.argv[1:]]))
