"""Runs inside the kernel: stores what a run has computed, and restores it in another kernel (DATAFLOW 3.3).

The kernel imports this folder as a package of its own name (`bootstrap.CellFunctions.inside`), so it uses nothing of this
project. Without cloudpickle nothing is stored, and the earlier steps run again.
"""
