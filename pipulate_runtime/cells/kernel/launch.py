"""Starts ipykernel as `python -m ipykernel_launcher` does, but without its debugger.

That saves a quarter of the processor time of a start, and a fifth of a kernel's memory. The kernels' Python runs it as a
script and may not have this package: it imports nothing of it.
"""

import runpy
import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        sys.path[0] = ""  # as with `-m`, in place of this folder
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # not importable until `bootstrap` has run
    runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)
