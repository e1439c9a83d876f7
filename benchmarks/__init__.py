"""Each stage beside what a user would pick instead on one machine: same files, same results, costs as ratios.

`python -m benchmarks --help`. Every contestant runs as its own process, and the whole tree of its processes is counted.
No figure here is ever asserted: a benchmark fails only where results differ.
"""
