"""The kinds of placement, one per file. They travel to executors: numpy and scipy only."""
