"""Notices (PP210 to PP224): what gives one, what does not, where it points; and that plain notebooks give none."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.helpers import cells, codes_of
from transpiler.model.diagnostics import Diagnostic, Found
from transpiler.passes.analyse import analyse
from transpiler.passes.annotate import annotate
from transpiler.passes.read import read
from transpiler.python import libraries

NEW = {f"PP{number}" for number in range(210, 225)}


def said(text: str, counts: tuple[int | None, ...] = ()) -> Found:
    """All that is said of a notebook in percent format, but edits and cells kept as text."""
    tree: dict[str, Any] = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": cells(text),
    }
    code = [cell for cell in tree["cells"] if cell["cell_type"] == "code"]
    for cell, count in zip(code, counts, strict=bool(counts)):
        cell["execution_count"] = count
    notebook, found = read(json.dumps(tree).encode(), "trip.ipynb")
    assert notebook is not None
    annotated, more = annotate(notebook)
    every = found + more + analyse(annotated)[1]
    return tuple(d for d in every if d.rule.code not in ("PP202", "PP203"))


def only(text: str, counts: tuple[int | None, ...] = ()) -> Diagnostic:
    """The one thing that is said."""
    (diagnostic,) = said(text, counts)
    return diagnostic


# --- plain notebooks ----------------------------------------------------------------------------------------------------

PLAIN = {
    "sales": """
# %%
%matplotlib inline
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from pathlib import Path

sns.set_theme(style="whitegrid")
pd.set_option("display.max_columns", 50)
plt.rcParams["figure.figsize"] = (8, 4)
# %%
data = Path("data")
df = pd.read_csv("https://example.org/sales.csv", parse_dates=["date"])
df.info()
# %%
df = df.dropna(subset=["amount"]).copy()
df["month"] = df["date"].dt.to_period("M")
df["rank"] = df.groupby("region")["amount"].rank()
df.loc[df["amount"] < 0, "amount"] = 0
df.describe()
# %%
def share(values, total=None):
    total = total or values.sum()
    return values / total

by_region = df.groupby("region").agg(total=("amount", "sum"), n=("amount", "size"))
by_region["share"] = share(by_region["total"])
by_region.sort_values("total", ascending=False)
# %%
fig, axes = plt.subplots(1, 2)
for ax, column in zip(axes, ["total", "n"]):
    by_region[column].plot.bar(ax=ax, title=column)
fig.tight_layout()
plt.savefig("regions.png")
plt.show()
# %%
threshold = 100
for region, part in df.groupby("region"):
    if part["amount"].max() > threshold:
        best = part
print(len(best))
_
# %%
by_region.to_csv("out.csv")
df.query("amount > @threshold").sample(5, random_state=1)
""",
    "model": """
# %%
import time
from datetime import date, datetime

import numpy as np
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

SEED = 42
np.random.seed(SEED)
# %%
iris = load_iris(as_frame=True)
X, y = iris.data, iris.target
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=SEED)
# %%
start = time.perf_counter()
models = {
    "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
    "tree": DecisionTreeClassifier(),
    "forest": RandomForestClassifier(n_estimators=50),
}
scores = {}
for name, model in models.items():
    model.fit(X_train, y_train)
    scores[name] = accuracy_score(y_test, model.predict(X_test))
print(f"{time.perf_counter() - start:.1f} s on {date.today()}, {datetime.now():%H:%M}")
# %%
noise = np.random.normal(size=X.shape)
cross_val_score(models["forest"], X + noise, y, cv=KFold(5))
# %%
confusion_matrix(y_test, models["logistic"].predict(X_test))
""",
    "simulation": """
# %%
import random
from collections import Counter, defaultdict

import numpy as np

rng = np.random.default_rng(7)
random.seed(7)
# %%
def walk(n):
    position = 0
    for _ in range(n):
        position += random.choice([-1, 1])
        yield position

def spread(values):
    return max(values) - min(values)
# %%
paths = [list(walk(100)) for _ in range(20)]
Counter(spread(path) for path in paths).most_common(3)
# %%
steps = rng.choice([-1, 1], size=(20, 100))
steps.cumsum(axis=1)[:, -1]
# %%
groups = defaultdict(list)
for path in paths:
    groups[path[-1] > 0].append(path)
{k: len(v) for k, v in groups.items()}
""",
    "texts and files": """
# %%
import csv, json, logging, os, re, sqlite3, sys
from contextlib import closing
from dataclasses import dataclass, field

logging.basicConfig(level=logging.INFO)
# %%
@dataclass
class Note:
    title: str
    tags: list = field(default_factory=list)

notes = [Note("a"), Note("b", ["x"])]
# %%
with open("notes.json", "w") as out:
    json.dump([vars(note) for note in notes], out)
os.makedirs("out", exist_ok=True)
print(os.path.join("out", "a.txt"), sys.version_info[:2])
# %%
db = sqlite3.connect(":memory:")
with closing(db.cursor()) as cursor:
    cursor.execute("create table t (n integer)")
    cursor.executemany("insert into t values (?)", [(1,), (2,)])
db.execute("select sum(n) from t").fetchone()
# %%
%%time
words = re.findall(r"[a-z]+", "the quick brown fox")
print(", ".join(words))
# %%
%config InlineBackend.figure_format = "svg"
%load_ext autoreload
%autoreload 2
class Counter:
    def __init__(self):
        self.n = 0
counter = Counter()
# %%
counter.n += 1
counter.n
""",
    "an app with fields": """
# %%
#| input: {name: kind, choices: [small, large]}
kind = "small"
# %%
#| input: rate
rate = 0.2
# %%
if kind == "small":
    size = 10
elif kind == "large":
    size = 20
price = size * rate
rate = rate * 100
print(f"{price} {rate}%")
""",
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_notebook_gives_none(name: str) -> None:
    assert [d.message for d in said(PLAIN[name]) if d.rule.code != "PP131"] == []


def test_our_own_fixtures_give_none() -> None:
    paths = sorted((ROOT / "fixtures").glob("*.ipynb"))
    assert len(paths) >= 3
    for path in paths:
        notebook, found = read(path.read_bytes(), path.name)
        assert notebook is not None
        assert found + analyse(annotate(notebook)[0])[1] == (), path.name


# --- chance -------------------------------------------------------------------------------------------------------------

RANDOM = "import random\nimport numpy as np\nimport pandas as pd\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x = random.random()", "random.random"),
        ("from random import choice as pick\nx = pick([1, 2])", "pick"),
        ("x = np.random.rand(3)", "np.random.rand"),
        ("from numpy.random import randn\nx = randn(3)", "randn"),
        ("from numpy import random as r\nx = r.normal()", "r.normal"),
        ("rng = np.random.default_rng()", "np.random.default_rng"),
        ("rng = np.random.default_rng(None)", "np.random.default_rng"),
        ("rng = random.Random()", "random.Random"),
        ("df = pd.DataFrame()\ndf.sample(frac=1)", "df.sample"),
        ("from sklearn.model_selection import train_test_split as t\na, b = t([1], [2])", "t"),
        ("from sklearn import cluster\nm = cluster.KMeans(3)", "cluster.KMeans"),
        ("from sklearn.model_selection import KFold\nKFold(3, shuffle=True)", "KFold"),
        ("from scipy import stats\nstats.norm.rvs(size=3)", "stats.norm.rvs"),
        ("import torch\ntorch.randn(3)", "torch.randn"),
        ("import torch.nn as nn\nclass N(nn.Module):\n    def __init__(self): self.l = nn.Linear(1, 2)", "nn.Linear"),
        ("import tensorflow as tf\ntf.random.normal([3])", "tf.random.normal"),
        ("random.seed()\nx = random.random()", "random.random"),
        ("x = random.random()\nrandom.seed(1)", "random.random"),
        ("np.random.seed(0)\nx = random.random()", "random.random"),
        ("def f(): return random.random()", "random.random"),
        ("%time x = random.random()", "random.random"),
    ],
)  # fmt: skip
def test_chance_without_a_seed(text: str, written: str) -> None:
    found = only(RANDOM + text)
    assert found.rule.code == "PP210"
    assert f"`{written}` " in found.message


@pytest.mark.parametrize(
    "text",
    [
        "random.seed(1)\nx = random.random()",
        "np.random.seed(1)\nx = np.random.rand(3)\npd.DataFrame().sample(n=3)",
        "def f(): return random.random()\n# %%\nrandom.seed(1)\nf()",
        "def set_seed(n):\n    random.seed(n)\n    np.random.seed(n)\n# %%\nset_seed(1)\nrandom.random()",
        "from lightning import seed_everything\nseed_everything(1)\nx = np.random.rand()",
        "%time random.seed(1)\n# %%\nrandom.random()",
        "rng = np.random.default_rng(1)\nrng.normal()",
        "pd.DataFrame().sample(frac=1, random_state=1)",
        "from sklearn.model_selection import train_test_split as t\na, b = t([1], [2], shuffle=False)",
        "from sklearn.model_selection import KFold\nKFold(3)",
        "options = {}\nfrom sklearn.cluster import KMeans\nKMeans(3, **options)",
        "class Buffer:\n    def push(self): self.sample(3)",
        "random = lambda: 4\nrandom()",
        "def f(random): return random.choice([1])",
        "import uuid, secrets, time\nprint(uuid.uuid4(), secrets.token_hex(), time.time())",
        "np.random.get_state()",
        "np.linalg.norm([1])",
    ],
)
def test_chance_with_a_seed(text: str) -> None:
    assert codes_of(said(RANDOM + text)) == []


def test_chance_is_told_once_a_library_with_the_other_cells() -> None:
    cell = "np.random.rand(); random.random()\n"
    text = RANDOM + "".join(f"# %%\n{cell}{cell}" for _ in range(6))
    numpy, python = said(text)
    assert numpy.message.endswith("; so do cells 2, 3, 4 and 2 more")
    assert "`np.random.seed(0)`" in numpy.help
    assert "`random.seed(0)`" in python.help


# --- order --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "counts", "codes"),
    [
        ("a = 1\n# %%\nprint(a)", (1, 2), []),
        ("a = 1\n# %%\nprint(a)", (None, None), []),
        ("a = 1\n# %%\nprint(a)", (8, 2), ["PP211"]),
        ("a = 1\n# %%\nprint(a)", (8, None), []),
        ("a = 1\n# %%\nb = 2", (8, 2), []),
        ("import re\n# %%\nre.sub('a', 'b', 'c')", (8, 2), []),
        ("def f(): pass\n# %%\nf()", (8, 2), ["PP211"]),
        ("a = 1\n# %%\na = 2\n# %%\nprint(a)", (8, 2, 3), []),
        ("a = []\n# %%\na.append(1)\n# %%\nprint(a)", (1, 9, 3), ["PP211"]),
        ("a = []\n# %%\nprint(a)\n# %%\na.append(1)", (1, 9, 3), ["PP211"]),
        ("a = []\n# %%\nprint(a)\n# %%\na.append(1)", (1, 3, 9), []),
    ],
)  # fmt: skip
def test_the_order_cells_were_run_in(
    text: str, counts: tuple[int | None, ...], codes: list[str]
) -> None:
    assert codes_of(said(text, counts)) == codes


def test_the_order_names_the_cells_and_the_name() -> None:
    found = only("x = a = 1\n# %%\nprint(x, a)\n# %%\na", (3, 2, 1))
    assert "before cell 0 above, which sets `x`; so did 1 more cell" in found.message
    assert found.span == (1, 1, 7, 1, 8)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 + 1\n# %%\nOut[1], _1", None),
        ("1 + 1\n# %%\n2\n# %%\n_, __, In[1]", None),
        ("x = 1\n# %%\nOut[1]", "is cell 0, which shows no value"),
        ("1;\n# %%\nOut[1]", "is cell 0, which shows no value"),
        ("1\n# %%\n_2", "that is this cell itself"),
        ("1\n# %%\n_7", "that many have not been run"),
        ("Out = {7: 1}\n# %%\nOut[7]", None),
        ("1\n# %%\nn = 7\nOut[n]", None),
    ],
)
def test_numbers_of_the_history(text: str, words: str | None) -> None:
    found = said(text)
    assert codes_of(found) == ([] if words is None else ["PP212"])
    assert words is None or words in found[0].message


def test_the_history_says_which_cell_was_meant() -> None:
    found = said("x = 1\n# %%\nx + 1\n# %%\nOut[9]", (4, 9, 10))
    assert found[0].message.endswith("in the saved notebook it is cell 1")


# --- answers and classes ------------------------------------------------------------------------------------------------

KIND = '#| input: {name: kind, choices: [a, b]}\nkind = "a"\n# %%\n'
SHOW = "from ipywidgets import interact, IntSlider\n"
INTERACT = SHOW + "@interact(n=(1, 10))\ndef show(n=3): print(n * 2)\n# %%\n"
PAIR = "a, b = map(int, input('two ints: ').split())\n# %%\n"
FLAG = "#| input: flag\nflag = True\n# %%\n"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (KIND + 'kind = "b"', ["PP213"]),
        (KIND + 'kind = kind + "b"', []),
        (KIND + 'if kind:\n    kind = "b"', []),
        (KIND + "for kind in []: pass", []),
        (KIND + '#| input: kind\nkind = "b"', []),
        (KIND + "def kind(): pass", ["PP213"]),
        (KIND + 'kind = "b"\n# %%\nkind = "c"', ["PP213"]),
        (INTERACT + "n = 12", []),
        (INTERACT + "if n:\n    x = 1\n# %%\nx", ["PP204"]),
        (SHOW + "n = 3\n@interact(n=(1, 10))\ndef show(n=3): print(n)\n# %%\nn = 12", []),
        (SHOW + "n = IntSlider(3)\nprint(n.value)\n# %%\nn = 12", ["PP213"]),
        (SHOW + "n = IntSlider(3)\nn.observe(print)\nn\n# %%\nn = 12", ["PP213"]),
        (PAIR + "a = 3", []),
        (PAIR + "if a:\n    x = 1\n# %%\nx", ["PP214"]),
        ("a = input('a').split()\n# %%\na = 3", []),
        ("print('Hi ' + input('Name'))\n# %%\nname = 3", []),
        ("a = input('a')\n# %%\na = 3", ["PP213"]),
        ("a, b = input('a'), int(input('b'))\n# %%\na = b = 3", ["PP213", "PP213"]),
        ("a = input('a').strip() or 'x'\n# %%\na = 3", ["PP213"]),
        ("a = int(input('a').strip())\n# %%\na = 3", ["PP213"]),
        ("#| input: a\nimport datetime\na = datetime.date(2024, 5, 1)\n# %%\na = 3", ["PP213"]),
        (FLAG + "if flag:\n    x = 1\n# %%\nx", ["PP214"]),
        (FLAG + "if flag:\n    x = 1\nx", ["PP214"]),
        (FLAG + "if flag:\n    x = 1\n# %%\nx\n# %%\nx", ["PP214"]),
        (FLAG + "if flag:\n    x = 1\nelse:\n    x = 2\n# %%\nx", []),
        (FLAG + "x = 0\nif flag:\n    x = 1\n# %%\nx", []),
        (FLAG + "x = 0\n# %%\nif flag:\n    x = 1\n# %%\nx", []),
        (FLAG + "if flag:\n    x = 1\n# %%\nx = 2\n# %%\nx", []),
        (FLAG + "if flag:\n    x = 1\n# %%\nif flag:\n    print(x)", []),
        (FLAG + "if flag:\n    x = 1\n# %%\nprint(x if flag else 0)", []),
        (FLAG + "if flag:\n    x = 1\n# %%\ntry:\n    x\nexcept NameError:\n    pass", []),
        (FLAG + "if flag:\n    x = 1\nelse:\n    raise SystemExit\n# %%\nx", []),
        (FLAG + "n = 1\nif n:\n    x = 1\n# %%\nx", []),
        (KIND + "if kind == 'a':\n    x = 1\n# %%\nx", ["PP214"]),
        (KIND + "if kind == 'a':\n    x = 1\nelif kind == 'b':\n    x = 2\n# %%\nx", []),
        (KIND + "if kind in ('a', 'b'):\n    x = 1\n# %%\nx", []),
        (KIND + "if kind.upper() == 'A':\n    x = 1\nelif kind == 'b':\n    x = 2\n# %%\nx", ["PP214"]),
    ],
)  # fmt: skip
def test_answers(text: str, codes: list[str]) -> None:
    assert codes_of(said(text)) == codes


CLASS = "class C: pass\nc = C()\n# %%\n"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (CLASS + "class C: pass\n# %%\nc", ["PP215"]),
        (CLASS + "class C: pass\n# %%\nc\n# %%\nc", ["PP215"]),
        (CLASS + "c\n# %%\nclass C: pass", []),
        (CLASS + "class C: pass\nc = C()\n# %%\nc", []),
        (CLASS + "class C: pass\n# %%\nc = C()\nc", []),
        (CLASS + "class D(C): pass\n# %%\nc", []),
    ],
)
def test_instances_of_an_older_class(text: str, codes: list[str]) -> None:
    assert codes_of(said(text)) == codes


# --- the machine --------------------------------------------------------------------------------------------------------

WORD = '#| input: word\nword = "x"\n# %%\nimport os, subprocess, shlex, ast\n'


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("!ls", ["PP216"]),
        ("files = !ls", ["PP216"]),
        ("%%bash\nls", ["PP216"]),
        ("import os\nos.system('ls')", ["PP216"]),
        ("import subprocess as s\ns.run(['ls'])\n# %%\n!ls\n# %%\n!ls", ["PP216"]),
        ("!pip install left-pad", ["PP130"]),
        ("%%writefile a.sh\nls", []),
        ("import os\nos.getcwd()", []),
        (WORD + "!echo {word}", ["PP217"]),
        (WORD + "!echo $word", ["PP217"]),
        (WORD + "!echo {shlex.quote(word)}", ["PP216"]),
        (WORD + "os.system('echo ' + word)", ["PP217"]),
        (WORD + "line = f'echo {word.strip()}'\nsubprocess.run(line, shell=True)", ["PP217"]),
        (WORD + "subprocess.run(['echo', word])", ["PP216"]),
        (WORD + "eval(word)", ["PP217"]),
        (WORD + "exec('x = %s' % word)", ["PP217"]),
        (WORD + "eval(str(float(word)))", []),
        (WORD + "ast.literal_eval(word)", []),
        (WORD + "word = 'y'\neval(word)", ["PP213"]),
        ("#| input: n\nn = 5\n# %%\n!echo {n}", ["PP216"]),
        (KIND + "!echo {kind}", ["PP216"]),
        ("x = input('A sum? ')\n# %%\neval(x)", ["PP217"]),
    ],
)
def test_commands_and_answers_in_them(text: str, codes: list[str]) -> None:
    assert codes_of(said(text)) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("%sql SELECT 1", ["PP218"]),
        ("%sql SELECT 1\n# %%\n%sql SELECT 2", ["PP218"]),
        ("%%cython\nx", ["PP218"]),
        ("%load_ext autoreload\n# %%\n%sql SELECT 1", ["PP131", "PP218"]),
        ("%load_ext sql\n# %%\n%sql SELECT 1", []),
        ("from IPython.core.magic import register_line_magic\n@register_line_magic\ndef hi(line): pass\n# %%\n%hi", []),
        ("import wandb\n# %%\n%wandb", []),
        ("%who\n%pwd\n%env A=1", []),
    ],
)  # fmt: skip
def test_magics(text: str, codes: list[str]) -> None:
    assert codes_of(said(text)) == codes


ASK = """
from ipykernel.zmqshell import ZMQInteractiveShell
magics = ZMQInteractiveShell.instance().magics_manager.magics
print(*magics["line"], *magics["cell"])
"""


def test_the_magics_of_a_kernel_are_known(tmp_path: Path) -> None:
    """Asked in another process, since a shell changes the one it is made in."""
    answer = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(answer.stdout.split())
    assert len(names) > 100
    assert names - libraries.IPYTHON_MAGICS == set()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("import matplotlib\nmatplotlib.use('TkAgg')", ["PP219"]),
        ("import matplotlib\nmatplotlib.use('Agg')", []),
        ("import matplotlib.pyplot as plt\nplt.switch_backend('qt5agg')", ["PP219"]),
        ("import cv2\ncv2.imshow('a', 1)\ncv2.imshow('b', 2)", ["PP219"]),
        ("import cv2\ncv2.imread('https://a/b.png')", []),
        ("import tkinter as tk\nroot = tk.Tk()", ["PP219"]),
        ("import os\nos.chdir('/data')", ["PP220"]),
        ("import os\nos.chdir('data/a')\nos.chdir('../..')", []),
        ("import os\nos.chdir('data')\nos.chdir('..')\nos.chdir('..')", ["PP220"]),
        ("%cd /content/drive", ["PP220"]),
        ("%cd data", []),
        ("import pandas as pd\npd.read_csv('/home/ann/a.csv')\npd.read_csv('/home/ann/b.csv')", ["PP221"]),
        ("import pandas as pd\nfolder = '~/data'\npd.read_csv(folder + '/a.csv')", ["PP221"]),
        ("import pandas as pd\npd.read_csv(r'C:\\Users\\ann\\a.csv')", ["PP221"]),
        ("import pandas as pd\npd.read_csv('//host/a.csv')\npd.read_csv('s3://b/a.csv')\nopen('/proc/cpuinfo')", []),
        ("open('/srv/out.txt', 'w')", []),
    ],
)  # fmt: skip
def test_windows_folders_and_paths(text: str, codes: list[str]) -> None:
    assert codes_of(said(text)) == codes


# --- what lives on ------------------------------------------------------------------------------------------------------

ASYNC = "import asyncio, threading\nasync def f(): pass\n"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (ASYNC + "asyncio.create_task(f())", ["PP223"]),
        (ASYNC + "t = asyncio.create_task(f())\nawait asyncio.sleep(0)", ["PP223"]),
        (ASYNC + "t = asyncio.create_task(f())\nawait t", []),
        (ASYNC + "t = asyncio.create_task(f())\n# %%\nawait t", []),
        (ASYNC + "await asyncio.create_task(f())", []),
        (ASYNC + "ts = [asyncio.create_task(f()) for _ in 'ab']\nawait asyncio.gather(*ts)", []),
        (ASYNC + "async with asyncio.TaskGroup() as g:\n    g.create_task(f())", []),
        (ASYNC + "async def g():\n    asyncio.create_task(f())", []),
        (ASYNC + "t = threading.Thread(target=print)\nt.start()", ["PP223"]),
        (ASYNC + "t = threading.Thread(target=print)\nt.start()\nt.join()", []),
        (ASYNC + "t = threading.Thread(target=print)\nt.start()\nprint(', '.join('ab'))", ["PP223"]),
        (ASYNC + "t = threading.Thread(target=print)", []),
    ],
)  # fmt: skip
def test_what_lives_on(text: str, codes: list[str]) -> None:
    assert codes_of(said(text)) == codes


# --- places -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("import random\nx = (1,\n     random.random())", "random.random"),
        ("%env A=1\nimport random\né = 'ü', random.random()", "random.random"),
        ("#| step: A\nimport os\nos.chdir('/é')", "os.chdir('/é')"),
        ("x = 1\nfiles = !ls *.csv", "files = !ls *.csv"),
        ("if True:\n    !ls -l", "!ls -l"),
        ("    import random\n    random.random()", "random.random"),
        (">>> import random\n>>> random.random()", "random.random"),
    ],
)
def test_places_in_cells_with_magics(text: str, excerpt: str) -> None:
    found = [d for d in said(text) if d.rule.code in NEW]
    (span,) = [d.span for d in found]
    source = cells(text)[0]["source"].split("\n")
    assert span.line == span.end_line
    assert source[span.line - 1][span.column - 1 : span.end_column - 1] == excerpt


def test_only_what_may_change_the_app_is_a_warning() -> None:
    pages = (ROOT / "docs" / "diagnostics").glob("PP2*.md")
    severe = {p.stem for p in pages if "(warning)" in p.read_text("utf-8").split("\n")[0]} & NEW
    assert severe == {f"PP{n}" for n in (210, 212, 214, 217, 218, 219, 222, 223)}


# --- what acts again ----------------------------------------------------------------------------------------------------

POST = """
# %%
#| secret: TOKEN
TOKEN = ""
import requests
requests.post("https://example.org", headers={"Authorization": TOKEN})
# %%
print("sent")
"""


def test_a_cell_that_acts_beside_a_secret_is_not_kept():
    found = only(POST)
    assert found.rule.code == "PP224"
    assert "`requests.post` may use the network" in found.message
    assert "a secret is among its values" in found.message


def test_a_connection_that_a_later_cell_uses_cannot_be_kept():
    found = only("""
# %%
import sqlite3
con = sqlite3.connect("sales.db")
# %%
con.execute("delete from t")
# %%
print(con.execute("select 1").fetchall())
""")
    assert found.rule.code == "PP224"
    assert "the connection `con` is used by a later cell" in found.message
    assert "and so may 1 more cell)" in found.message


@pytest.mark.parametrize(
    "text",
    [
        POST.replace("#| secret: TOKEN\n", ""),
        POST.replace(
            'requests.post("https://example.org", headers={"Authorization": TOKEN})', "len(TOKEN)"
        ),
        "# %%\nimport requests\nrequests.post('https://example.org')\n# %%\n#| secret: T\nT = ''\nlen(T)\n# %%\n1\n",
        "# %%\nimport sqlite3\nwith sqlite3.connect('a.db') as con:\n    con.execute('x')\n# %%\n1\n",
    ],
)
def test_what_is_kept_needs_no_notice(text):
    assert "PP224" not in [d.rule.code for d in said(text)]
