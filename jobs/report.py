"""spark-submit jobs/report.py --config conf/cluster.yaml: the report stage alone."""

import sys

from jobs.run import main

if __name__ == "__main__":
    sys.exit(main(["--only", "report", *sys.argv[1:]]))
