"""spark-submit jobs/campaigns.py --config conf/cluster.yaml: the campaigns stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "campaigns", *sys.argv[1:]]))
