"""A process ends with its own code, whatever threads of native libraries do by then."""

import subprocess
import sys

import pyarrow as pa
import pytest
from deltalake import write_deltalake

READING_AHEAD = """
import sys
from deltalake import DeltaTable
from segspark.core.ending import end_process

scans = []
for _ in range(21):
    scan = DeltaTable(sys.argv[1]).to_pyarrow_dataset().scanner(batch_size=100).to_batches()
    next(scan)
    scans.append(scan)
end_process(3)
"""
REGISTERED = """
import atexit, sys
from segspark.core.ending import end_process

atexit.register(lambda: print("last words"))
print("first words")
end_process(int(sys.argv[1]))
"""


def ended(script, argument):
    return subprocess.run([sys.executable, "-c", script, argument], capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    place = str(tmp_path_factory.mktemp("lake") / "table")
    for _ in range(8):
        rows = {"number": range(20_000), "text": [f"text {number}" for number in range(20_000)]}
        write_deltalake(place, pa.table({name: list(values) for name, values in rows.items()}), mode="append")
    return place


@pytest.mark.parametrize("attempt", range(3))
def test_scans_of_delta_rs_that_still_read_ahead_do_not_keep_a_process_or_change_its_code(table, attempt):
    """By `sys.exit` three of four such processes hang or die by a signal: Arrow waits for threads that need Python."""
    done = ended(READING_AHEAD, table)
    assert done.returncode == 3, done.stderr


@pytest.mark.parametrize("code", [0, 1, 2, 3, 130])
def test_what_was_printed_and_registered_is_not_lost(code):
    done = ended(REGISTERED, str(code))
    assert (done.returncode, done.stdout.split("\n")) == (code, ["first words", "last words", ""])
