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


def outputs_of(make, body, steps=1, forms=None, **options):
    """Run the steps of a made plugin and return the outputs of the last."""
    walker = make(body, steps=steps, **options)
    run(walker.walk(*(forms or [{}] * steps)))
    return walker.outputs(f"step_{steps:02}")


def test_semicolon_shows_nothing_and_underscore_is_the_last_result(make):
    body = """
        @cell("a")
        def step_01_cell(form):
            return 20 + 1

        @cell("b")
        def step_01_cell_2(form):
            1 + 1  # no return: the notebook had a semicolon

        @cell("c")
        def step_01_cell_3(form):
            return _, Out[1], In[2]
        """
    assert results(outputs_of(make, body)) == [
        "21",
        "(21, 21, '1 + 1;  # no return: the notebook had a semicolon')",
    ]


def test_functions_are_named_as_at_the_top_of_a_cell(make):
    body = """
        @cell("a")
        def step_01_cell(form):
            global Box, outer
            class Box:
                def open(self): pass
            def outer():
                def inner(): pass
                return inner
            return (lambda: 0).__qualname__, Box.open.__qualname__, outer().__qualname__
        """
    assert results(outputs_of(make, body)) == ["('<lambda>', 'Box.open', 'outer.<locals>.inner')"]


def test_display_and_clear_output_and_display_ids(make):
    body = """
        @cell("a")
        def step_01_cell(form):
            global handle
            from IPython.display import clear_output, display
            print("gone")
            clear_output(wait=True)
            display({"text/plain": "kept"}, raw=True)
            handle = display({"text/plain": "old"}, raw=True, display_id=True)

        @cell("b")
        def step_01_cell_2(form):
            handle.update({"text/plain": "new"}, raw=True)
        """
    outputs = outputs_of(make, body)
    assert [o["data"]["text/plain"] for o in outputs] == ["kept", "new"]


def test_streams_of_one_name_are_one_output(make):
    body = """
        @cell("a")
        def step_01_cell(form):
            import sys
            print(1); print(2, flush=True); print(3, file=sys.stderr, flush=True); print(4)
        """
    outputs = outputs_of(make, body)
    assert [(o["name"], o["text"]) for o in outputs] == [
        ("stdout", "1\n2\n"),
        ("stderr", "3\n"),
        ("stdout", "4\n"),
    ]


def test_async_cells_are_awaited(make):
    body = """
        @cell("a")
        async def step_01_cell(form):
            global task
            import asyncio
            task = asyncio.ensure_future(asyncio.sleep(0, "later"))
            if form:
                return  # cannot stand in a notebook's cell, and must not confuse the shell
            return await asyncio.sleep(0, "now")

        @cell("b")
        async def step_01_cell_2(form):
            return await task
        """
    assert results(outputs_of(make, body)) == ["'now'", "'later'"]


def test_magics_see_the_namespace(make):
    body = """
        @cell("a")
        def step_01_cell(form):
            global f
            f = lambda: 7
            get_ipython().run_line_magic("time", "y = f()")

        @cell("b")
        def step_01_cell_2(form):
            get_ipython().run_cell_magic("time", "", "z = y + 1\\n")
            get_ipython().system("echo shell $z")

        @cell("c")
        def step_01_cell_3(form):
            return y, z
        """
    outputs = outputs_of(make, body)
    assert results(outputs) == ["(7, 8)"]
    assert "shell 8" in stdout(outputs)
    assert stdout(outputs).count("Wall time") == 2


def test_names_are_bound_late_and_classes_are_of_main(make):
    body = """
        @cell("a")
        def step_01_cell(form):
            global pickle, rate, price, Point, even, odd
            import pickle
            rate = 1
            def price(x):
                return x * rate
            class Point:
                __slots__ = ("__x",)
                def __eq__(self, other):
                    return type(self) is type(other)
            def even(n):
                return n == 0 or odd(n - 1)

        @cell("b")
        def step_02_cell(form):
            global rate, odd
            rate = 3
            def odd(n):
                return n != 0 and even(n - 1)
            copy = pickle.loads(pickle.dumps(Point))
            return price(2), even(4), copy is Point, Point.__qualname__, Point.__module__, price.__qualname__
        """
    assert results(outputs_of(make, body, steps=2)) == [
        "(6, True, True, 'Point', '__main__', 'price')"
    ]


def test_the_namespace_is_that_of_a_notebook(make):
    """A function cell before it must leave no trace: the names are those a plain kernel has at this point."""
    names = "sorted(n for n in globals())"
    body = f"""
        @cell("a")
        def step_01_cell(form):
            global x
            x = 1

        step_01_cell_2 = cell_text("b", {names!r})
        step_01_cell_3 = cell_text("c", "%who")
        """
    plain = f"""
        step_01_cell = cell_text("a", "x = 1")
        step_01_cell_2 = cell_text("b", {names!r})
        step_01_cell_3 = cell_text("c", "%who")
        """
    found, expected = outputs_of(make, body), reference(
        [("a", "x = 1"), ("b", names), ("c", "%who")]
    )
    assert results(found) == results(expected)
    assert stdout(found) == stdout(expected) == "x\t \n"
    assert results(outputs_of(make, plain)) == results(expected)


def reference(cells):
    """Execute cells with nbclient; return the outputs of all."""
    import nbformat
    from nbclient import NotebookClient

    code = [nbformat.v4.new_code_cell(text, id=cell_id) for cell_id, text in cells]
    notebook = nbformat.v4.new_notebook(cells=code)
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    return [output for cell in notebook.cells for output in cell.outputs]


def test_future_flags_of_a_text_cell_reach_functions(make):
    body = """
        step_01_cell = cell_text("a", "from __future__ import annotations")

        @cell("b")
        def step_01_cell_2(form):
            def f(x: Unknown): ...
            return f.__annotations__
        """
    assert results(outputs_of(make, body)) == ["{'x': 'Unknown'}"]


def test_a_transformer_of_the_notebook_works_on_functions(make):
    body = """
        @cell("a")
        def step_01_cell(form):
            import ast
            class Doubled(ast.NodeTransformer):
                def visit_Constant(self, node):
                    return ast.copy_location(ast.Constant(node.value * 2), node)
            get_ipython().ast_transformers.append(Doubled())

        @cell("b")
        def step_01_cell_2(form):
            return 21
        """
    assert results(outputs_of(make, body)) == ["42"]


def test_a_patched_json_module_does_not_stop_the_run(make):
    body = """
        @cell("a")
        def step_01_cell(form):
            import types, sys
            sys.modules["json"] = types.ModuleType("json")

        @cell("b")
        def step_02_cell(form):
            return form["x"]
        """
    assert results(outputs_of(make, body, steps=2, forms=[{}, {"x": 5}])) == ["5"]


def test_matplotlib_shows_figures_at_the_end_of_a_cell(make):
    body = """
        @cell("a")
        def step_01_cell(form):
            import matplotlib.pyplot as plt
            fig, ax = plt.subplots(figsize=(1, 1))
            ax.plot([1, 2])
        """
    (output,) = outputs_of(make, body)
    assert output["output_type"] == "display_data"
    assert output["data"]["image/png"].startswith("iVBOR")


def test_the_working_folder_holds_the_bundled_files(make, tmp_path):
    bundle = tmp_path / "made.files"
    bundle.mkdir()
    (bundle / "local.py").write_text("value = 5\n")
    body = """
        @cell("a")
        def step_01_cell(form):
            import local, os
            with open("written.txt", "w") as f:
                f.write("x")
            return local.value, sorted(n for n in os.listdir() if n[0] != "_")
        """
    assert results(outputs_of(make, body, files="made.files")) == [
        "(5, ['local.py', 'written.txt'])"
    ]


def test_an_expected_error_does_not_end_the_step(make):
    body = """
        @cell("a", raises=True)
        def step_01_cell(form):
            1 / 0

        @cell("b")
        def step_01_cell_2(form):
            return "on"
        """
    outputs = outputs_of(make, body)
    assert [o["output_type"] for o in outputs] == ["error", "execute_result"]


def test_an_async_cell_at_top_level_text(make):
    body = 'step_01_cell = cell_text("a", "import asyncio\\nawait asyncio.sleep(0, 3)")'
    assert results(outputs_of(make, body)) == ["3"]
