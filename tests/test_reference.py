"""The notebook's own execution, with which `verify` compares."""

import asyncio

import pytest
from nbformat import v4

from transpiler.verify import reference


@pytest.mark.kernel
@pytest.mark.parametrize("failures", [1, 3])
def test_a_kernel_that_does_not_come_up_is_started_again(tmp_path, monkeypatch, failures):
    ready = reference._Client.wait_for_ready
    left = [failures]

    async def wait_for_ready(self, timeout=None):
        if left[0]:
            left[0] -= 1
            raise RuntimeError("Kernel died before replying to kernel_info")
        await ready(self, timeout)

    monkeypatch.setattr(reference._Client, "wait_for_ready", wait_for_ready)
    notebook = v4.new_notebook(cells=[v4.new_code_cell("print(1 + 1)", id="a")])
    work = reference.execute(notebook, tmp_path, 0, lambda _: None, reference.Replies({}, {}))
    if failures == reference.STARTS:
        with pytest.raises(RuntimeError):
            asyncio.run(work)
    else:
        (output,) = asyncio.run(work)["a"]
        assert output["text"] == "2\n"
