"""The end of a process that used native libraries with threads of their own."""

import atexit
import contextlib
import os
import sys
from typing import NoReturn


def end_process(code: int) -> NoReturn:
    """Ends this process with that code, after all that was registered for its exit.

    Python itself is not taken down. Where a scan of delta-rs still reads ahead, its threads ask Python for each block;
    Arrow waits for them after Python is gone, and the process hangs or dies by a signal in place of ending with its
    code: all of 60 that had begun to read 21 tables, and none of 60 that ended so.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # whoever read it is gone, or it is closed
            stream.flush()
    os._exit(code)
