"""Steps run in real kernels, as a notebook would."""

import pytest

from tests.cells.conftest import results, run, stdout

pytestmark = pytest.mark.kernel


def test_a_run_gives_what_a_notebook_gives(sample):
    async def test():
        await sample.walk({}, {"limit": 2}, {})

    run(test())
    assert stdout(sample.outputs("step_01")) == "one\n  two\nthree\n"
    assert results(sample.outputs("step_01")) == ["[1, 2, 3, 4]"]
    assert results(sample.outputs("step_02")) == ["[30, 40]"]
    # `over` was defined in step 2 and sees the limit of step 3
    assert results(sample.outputs("step_03")) == ["True"]
    assert stdout(sample.outputs("step_03")) == "2\n0\n"
    counts = [
        c["execution_count"]
        for n in (1, 2, 3)
        for c in sample.pip.read_state("k")[f"step_0{n}"]["_cells"]
    ]
    assert counts == [1, 2, 3, 4, 5]
