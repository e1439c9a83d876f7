"""`python -m segspark.cli`: the `segspark` command."""

from segspark.cli import main

main()
