"""What the code of cells is read to do outside a run: nothing that acts is missed, and plain computing is not suspected."""

import pytest

from pipulate_runtime.effects.read import effects_of, kinds_of
from tests.helpers import cells
from tests.passes.test_notices import PLAIN

COMPUTES = {
    "pandas": "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf['x'] = df.a * 2\ndf.groupby('x').sum().rename(columns={'a': 'b'})",
    "a plot": "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1])\nfig.savefig('a.png')\nplt.show()",
    "files in the run": "from pathlib import Path\nout = Path('out')\nout.mkdir(exist_ok=True)\n(out / 'a.txt').write_text('x')\nwith open('b.txt', 'w') as f:\n    print(1, file=f)",
    "a file in memory": "import io, pandas as pd\nbuffer = io.BytesIO()\npd.DataFrame().to_excel(buffer)",
    "a name of an answer in a folder": "import pandas as pd\npd.DataFrame().to_csv(f'out/{form[\"name\"]}.csv')",
    "a seed": "import random\nrandom.seed(1)\nrandom.random()",
    "a generator with a seed": "import numpy as np\nrng = np.random.default_rng(3)\nrng.normal()",
    "a model with a seed": "from sklearn.ensemble import RandomForestClassifier as F\nF(random_state=0).fit(x, y)",
    "a function that nobody calls": "import requests\ndef send():\n    requests.post('x')",
    "magics that show": "%matplotlib inline\nx = 7 % 3\nx",
    "questions": "name = input('Who? ')\nprint(f'hello {name}')",
    "recursion": "def f(n):\n    return f(n - 1) if n else 0\nf(3)",
    "a given time": "import time\ntime.strftime('%Y', time.gmtime(0))",
    "modules as the compiler imports them": "[__import__('pathlib').Path(p).stat() for p in form['papers']]",
    "values of an answer": "r = {'json': 1}\nr.get('json')",
}

ACTS = {
    "mail": ("mail", "import smtplib\nsmtplib.SMTP('x').sendmail('a', 'b', 'c')"),
    "a request": ("network", "import requests\nrequests.post('x')"),
    "a request by another name": ("network", "from requests import post as p\np('x')"),
    "a session": ("network", "import requests\ns = requests.Session()\ns.get('x')"),
    "a table from the network": ("network", "import pandas as pd\npd.read_csv('https://example.org/a.csv')"),
    "an address in a name": ("network", "import pandas as pd\nurl = 'https://example.org/a.csv'\npd.read_csv(url)"),
    "a database": ("database", "import sqlite3\ncon = sqlite3.connect('a.db')\ncon.execute('x')"),
    "SQL of pandas": ("database", "import pandas as pd\npd.read_sql('select 1', con)"),
    "a program": ("program", "import subprocess\nsubprocess.run(['ls'])"),
    "a shell": ("program", "!ls"),
    "a shell in an assignment": ("program", "files = !ls"),
    "a shell cell": ("program", "%%bash\nls"),
    "a shell in a function": ("program", "get_ipython().system('ls')"),
    "a file elsewhere": ("file", "open('/var/log/x', 'a').write('x')"),
    "a file at home": ("file", "from pathlib import Path\n(Path.home() / 'x').write_text('a')"),
    "a file above": ("file", "import pandas as pd\npd.DataFrame().to_csv('../a.csv')"),
    "a file that the user names": ("file", "import pandas as pd\npd.DataFrame().to_csv(form['path'])"),
    "a renamed path": ("file", "from pathlib import Path\np = Path('/data/a')\np.rename('/data/b')"),
    "another folder": ("file", "import os\nos.chdir('/data')"),
    "a deleted folder": ("file", "import shutil\nshutil.rmtree('/data')"),
    "the clock": ("clock", "from datetime import datetime\nprint(datetime.now())"),
    "the clock of a table": ("clock", "import pandas as pd\npd.Timestamp.now()"),
    "chance": ("chance", "import random\nrandom.random()"),
    "an id": ("chance", "import uuid\nuuid.uuid4()"),
    "rows by chance": ("chance", "import pandas as pd\ndf = pd.DataFrame()\ndf.sample(3)"),
    "a model without a seed": ("chance", "from sklearn.cluster import KMeans\nKMeans(3).fit(x)"),
    "a module of the notebook's own": ("unknown", "import helpers\nhelpers.run()"),
    "a name from a star": ("unknown", "from helpers import *\nrun()"),
    "code in a text": ("unknown", "exec(text)"),
    "a module in a text": ("unknown", "__import__('helpers').run()"),
    "a magic nobody knows": ("unknown", "%publish now"),
    "no Python": ("unknown", "x = ("),
    "a call in a function": ("mail", "def send():\n    import smtplib\n    smtplib.SMTP('x')\ndef both():\n    send()\nboth()"),
    "a function handed on": ("network", "import requests\nlist(map(requests.get, urls))"),
    "a function of the notebook handed on": ("network", "import requests\ndef get(u):\n    return requests.get(u)\nlist(map(get, urls))"),
    "a lambda": ("network", "import requests\nget = lambda u: requests.get(u)\nget(1)"),
    "a method": ("network", "import requests\nclass Api:\n    def go(self):\n        return requests.get('x')\nApi().go()"),
    "a connection in a list": ("database", "import sqlite3\ncons = [sqlite3.connect('a.db')]\ncons[0].execute('x')"),
    "a connection in a dict": ("database", "import sqlite3\nc = {}\nc['a'] = sqlite3.connect('a.db')\nc['a'].execute('x')"),
    "a connection in a function": ("database", "import sqlite3\ndef connect():\n    return sqlite3.connect('a')\ncon = connect()\ncon.execute('x')"),
    "a function in a table of functions": ("network", "import requests\ndef go():\n    requests.get('x')\nall_ = {'a': go}\nall_['a']()"),
    "what the namespace gives": ("unknown", "globals()['send']()"),
    "in a with": ("network", "import httpx\nwith httpx.Client() as c:\n    c.get('x')"),
    "in a loop": ("network", "import requests\nfor u in urls:\n    requests.get(u)"),
    "in a comprehension": ("network", "import requests\n[requests.get(u) for u in urls]"),
    "awaited": ("network", "import httpx\nawait httpx.AsyncClient().get('x')"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPUTES)
def test_what_only_computes_may_run_again(name):
    assert effects_of([[COMPUTES[name]]]) == [()]


@pytest.mark.parametrize("name", ACTS)
def test_what_acts_is_found(name):
    kind, code = ACTS[name]
    assert kind in kinds_of(effects_of([[code]])[0])


def split(code: str) -> list[list[str]]:
    """Each statement a step of its own."""
    import ast

    return [[ast.get_source_segment(code, node)] for node in ast.parse(code).body]


@pytest.mark.parametrize(
    "name",
    [
        n
        for n, (_, c) in ACTS.items()
        if n != "awaited" and "!" not in c and "%" not in c and not c.endswith("(")
    ],
)
def test_what_acts_is_found_when_its_statements_are_steps(name):
    kind, code = ACTS[name]
    assert kind in kinds_of(effect for step in effects_of(split(code)) for effect in step)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_notebooks_give_no_kind_that_nobody_can_tell(name):
    sources = [
        "".join(cell["source"]) for cell in cells(PLAIN[name]) if cell["cell_type"] == "code"
    ]
    kinds = {effect.kind for step in effects_of([[text] for text in sources]) for effect in step}
    # They read a table from an address, time themselves, and one opens a database in memory
    assert not kinds & {"unknown", "file", "program", "mail"}


def test_what_a_later_step_reads_of_an_answer_does_not_act():
    steps = [["import requests\nr = requests.get('x').json()"], ["print(r['a'], r.keys())"]]
    assert [kinds_of(effects) for effects in effects_of(steps)] == [["network"], []]


def test_a_seed_of_a_step_that_does_not_run_again_does_not_count():
    steps = [["import random\nrandom.seed(1)"], ["random.random()"]]
    assert effects_of(steps)[1] == ()
    assert kinds_of(effects_of(steps, first=1)[1]) == ["chance"]


def test_a_name_that_is_bound_anew_is_another_thing():
    steps = [["import requests\nget = requests.get"], ["get = len\nget([1])"]]
    assert effects_of(steps)[1] == ()
