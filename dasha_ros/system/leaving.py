"""How a process ends that has closed all that it used."""

from __future__ import annotations

import atexit
import os
import sys
import traceback
from contextlib import suppress
from typing import NoReturn


def leave(error: BaseException | None = None) -> NoReturn:
    """End this process now, after Python's exit functions, with the exit code that Python would have given.

    Python itself would take its libraries down first, while threads of theirs still run. On a busy computer
    one of them then may wait forever for a lock that nobody returns.

    Args:
        error: What ends it: `SystemExit`, or an exception, whose traceback is printed. ``None``: all is well.
    """
    code: object = 1
    if error is None or isinstance(error, SystemExit):
        code = 0 if error is None or error.code is None else error.code
    else:
        traceback.print_exception(error)
    if not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code & 0xFF)
