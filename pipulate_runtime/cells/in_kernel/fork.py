"""A forked copy of the kernel: it stores the namespace as it is now while the kernel goes on, as databases do.

The copy has one thread and shares the kernel's memory until one of them writes to it. It must not use the kernel's sockets,
print, or run what a process does at its end: it stores and is gone.
"""

import contextlib
import gc
import os
import signal
import sys

NAME = b"pipulate-copy"  # of a copy; 15 bytes at most
NICER = 10  # steps of priority that a copy is below the kernel
# With one of these in use, a copy may hang or disturb its parent: their threads or devices do not survive a fork
_UNSAFE = ("cupy", "jax", "mpi4py", "numba.cuda", "pycuda", "pyspark", "ray", "tensorflow")
copies: list[int] = []
"""Process ids of copies that may still be running."""


def may_fork() -> bool:
    """Whether this process may be forked. Only Linux: elsewhere, system libraries forbid it."""
    if sys.platform != "linux" or any(name in sys.modules for name in _UNSAFE):
        return False
    torch = sys.modules.get("torch")
    return not (torch and torch.cuda.is_initialized())


def reap() -> None:
    """Take copies that have ended out of the system's table of processes."""
    for pid in list(copies):
        with contextlib.suppress(ChildProcessError):  # a cell waited for all its children
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                continue
        copies.remove(pid)


def end_with(parent: int) -> None:
    """End this process when its parent ends; let its name say what it is."""
    import ctypes

    control, set_parent_death_signal, set_name = ctypes.CDLL(None).prctl, 1, 15
    control(set_parent_death_signal, int(signal.SIGKILL))
    control(set_name, NAME)
    if os.getppid() != parent:
        os._exit(1)


def step_aside(seconds: float) -> None:
    """Take little of the processor, end after some seconds at the latest, print nothing, delete nothing."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + NICER)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(seconds) + 1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    sys.stdout = sys.stderr = os.fdopen(nowhere, "w")
    gc.disable()
