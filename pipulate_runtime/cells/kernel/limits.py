"""Limits of kernels: how many may live, how much memory each may use."""

import asyncio
import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipulate_runtime.cells.in_kernel.fork import NAME

if TYPE_CHECKING:
    from pipulate_runtime.cells.kernel.kernel import Kernel

PER_CORE = 4  # kernels for each core: most live kernels are idle
USUAL = 512 * 1024**2  # bytes of a kernel with a table and a chart
SHARE = 0.6  # of the machine's memory
COPY = NAME.decode()  # the name of a copy of a kernel
LOOK = 0.25  # seconds between two checks of a running kernel
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def default_kernels(memory: int | None) -> int:
    """Return how many kernels may live at a time, at least two; `memory` is bytes for each."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    fit = int(machine_memory() * SHARE / max(memory or USUAL, 64 * 1024**2))
    return max(2, min(PER_CORE * (cores or 2), fit))


def machine_memory() -> int:
    """Return the memory of this machine, or of this container, in bytes."""
    import psutil

    whole = int(psutil.virtual_memory().total)
    for place in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            whole = min(whole, int(Path("/sys/fs/cgroup", place).read_text()))
    return whole


def size_of(text: str) -> int:
    """Return the bytes of a text such as 500M, 2G, 1.5 GB. Raises ValueError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?\s*", text.upper())
    if not match:
        raise ValueError(text)
    return int(float(match[1]) * _UNITS[match[2]])


def in_words(size: int) -> str:
    """Return a number of bytes as `size_of` reads it."""
    for unit in "TGM":
        if size >= _UNITS[unit]:
            return f"{size / _UNITS[unit]:.3g} {unit}B"
    return f"{size / 1024:.3g} KB"


def memory_used_by(pid: int) -> int:
    """Return the memory of a process and all its children in bytes; 0 when it is gone.

    Shared memory counts once where the system tells. The copy of a kernel that stores its values shares all it has.
    """
    import psutil

    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        total = int(process.memory_info().rss)
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if child.name() != COPY:
                    seen = child.memory_info()
                    total += int(seen.rss - getattr(seen, "shared", 0))
    return total


async def enforce_memory_limit(kernel: "Kernel", memory: int) -> None:
    """Kill a kernel when it uses more than `memory` bytes. Runs until it is cancelled."""
    while kernel.alive():
        if await asyncio.to_thread(memory_used_by, kernel.pid) > memory:
            kernel.exceeded = True
            kernel.kill()
            return
        await asyncio.sleep(LOOK)
