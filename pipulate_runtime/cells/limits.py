"""How much kernels may use, and what holds them to it."""

import asyncio
import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipulate_runtime.cells.kernels import Kernel

PER_CORE = 4  # kernels: most of the live ones wait for a person
USUAL = 512 * 1024**2  # bytes that a kernel with a table and a chart in it may need
SHARE = 0.6  # of the machine's memory is for kernels
LOOK = 0.25  # seconds between two looks at a kernel that computes
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def default_kernels(memory: int | None) -> int:
    """Return how many kernels may live at a time on this machine, each with so much memory: two at least."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    fit = int(machine_memory() * SHARE / max(memory or USUAL, 64 * 1024**2))
    return max(2, min(PER_CORE * (cores or 2), fit))


def machine_memory() -> int:
    """Return the memory of this machine in bytes, or what a container may use of it."""
    import psutil

    whole = int(psutil.virtual_memory().total)
    for place in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            whole = min(whole, int(Path("/sys/fs/cgroup", place).read_text()))
    return whole


def size_of(text: str) -> int:
    """Return a number of bytes as people write it: 500M, 2G, 1.5 GB. Raises ValueError."""
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


def used_by(pid: int) -> int:
    """Return the memory that a process and all it has started take, in bytes; 0 when it is gone.

    What several of them share (after a fork) counts once where the system tells.
    """
    import psutil

    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        total = int(process.memory_info().rss)
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                seen = child.memory_info()
                total += int(seen.rss - getattr(seen, "shared", 0))
    return total


async def watch(kernel: "Kernel", memory: int) -> None:
    """Kill a kernel when it uses more than so many bytes; until it is cancelled."""
    while kernel.alive():
        if await asyncio.to_thread(used_by, kernel.pid) > memory:
            kernel.exceeded = True
            kernel.kill()
            return
        await asyncio.sleep(LOOK)
