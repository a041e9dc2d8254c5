"""Reports calls that draw random numbers without a seed: the app cannot draw the same numbers again (PP210).

An app computes the cells above again when a user goes back, or returns to a run whose kernel has ended. With a seed that gives
the numbers on the cards above; without one it does not.
"""

import ast
import re
from typing import NamedTuple

from transpiler.dataflow.cell import CodeCell
from transpiler.dataflow.expressions import root_name
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic
from transpiler.notices.call_sites import Imported, Site
from transpiler.python.libraries import words


class Generator(NamedTuple):
    """A library-wide source of chance: the calls that draw from it, those that seed it, and what to write."""

    draws: re.Pattern[str]
    seeds: re.Pattern[str]
    remedy: str


_ESTIMATORS = (
    "RandomForest|ExtraTrees|MLP|SGD|Bagging|KMeans|MiniBatchKMeans|BisectingKMeans|TSNE|IsolationForest|GaussianMixture|"
    "BayesianGaussianMixture|RandomizedSearchCV|ShuffleSplit|StratifiedShuffleSplit|GroupShuffleSplit|train_test_split|"
    "permutation_importance|make_blobs|make_classification|make_regression|make_moons|make_circles|make_gaussian_quantiles|"
    "make_multilabel_classification|resample|shuffle|RandomOverSampler|RandomUnderSampler|SMOTE|ADASYN"
)
"""What takes `random_state` and draws when it has none. Trees and boosting are left out: they only break ties by chance."""

_LAYERS = "Linear|Bilinear|Conv[123]d|ConvTranspose[123]d|Embedding|LSTM|GRU|RNN|Transformer\\w*|MultiheadAttention"

GENERATORS = {
    "python": Generator(
        re.compile(r"random\.(?!seed$|getstate$|setstate$|Random$|SystemRandom$)[a-z]\w*"),
        re.compile(r"random\.seed"),
        "random.seed(0)",
    ),
    "numpy": Generator(
        re.compile(
            r"numpy\.random\.(?!seed$|get_state$|set_state$|default_rng$|get_bit_generator$)[a-z]\w*"
            r"|scipy\.stats\.\w+\.rvs"
            rf"|(?:sklearn|imblearn)\.[\w.]*\b(?:{_ESTIMATORS})(?:Classifier|Regressor)?"
            r"|umap\.UMAP"
        ),
        re.compile(r"numpy\.random\.(?:seed|set_state)"),
        "numpy.random.seed(0)",
    ),
    "torch": Generator(
        re.compile(
            r"torch\.(?:rand\w*|normal|bernoulli|multinomial|poisson)"
            rf"|torch\.nn\.(?:{_LAYERS})|torch\.utils\.data\.random_split"
        ),
        re.compile(r"torch\.(?:random\.)?manual_seed"),
        "torch.manual_seed(0)",
    ),
    "tensorflow": Generator(
        re.compile(
            r"tensorflow\.random\.(?!set_seed$|Generator|experimental)[a-z]\w*"
            r"|(?:tensorflow\.)?keras\.layers\.(?:Dense|Conv\w*|Embedding|LSTM|GRU|SimpleRNN)"
        ),
        re.compile(r"tensorflow\.(?:compat\.v1\.)?(?:random\.)?set_(?:random_)?seed"),
        "tensorflow.random.set_seed(0)",
    ),
}

_OWN = words("numpy.random.default_rng numpy.random.RandomState numpy.random.PCG64 random.Random")
"""Makes a generator of its own, which no seed of the library concerns."""

_OWN_SEED = ("seed", "random_state", "rng", "generator")


class Draw(NamedTuple):
    """A call that draws: from what, where, and after how many seeds of the notebook."""

    source: str
    site: Site
    cell: CodeCell
    seeded: bool
    remedy: str  # What would seed it, with the names that the notebook has given to modules


class RandomnessNotices:
    """Collects draws and seeds over the whole notebook; `findings` says what is left without a seed."""

    def __init__(self) -> None:
        self._seeded: set[str] = set()
        self._draws: list[Draw] = []

    def look(self, cell: CodeCell, site: Site, imported: Imported) -> None:
        """Take account of one call. Calls must come in the order they stand in the notebook."""
        if self._is_seed(site):
            return
        source = self._source(site, imported)
        if source is not None:
            remedy = _remedy(site, source, imported)
            self._draws.append(Draw(source, site, cell, source in self._seeded, remedy))

    def _is_seed(self, site: Site) -> bool:
        """Whether it seeds something; a function called `seed_everything` or the like is taken to seed all."""
        if "seed" not in site.last.lower():
            return False
        for source, generator in GENERATORS.items():
            if generator.seeds.fullmatch(site.name):
                if site.has_argument:
                    self._seeded.add(source)
                return True
        if site.name not in _OWN:
            self._seeded.update(GENERATORS)
        return True

    def _source(self, site: Site, imported: Imported) -> str | None:
        """What a call draws from; None when it does not draw, or with a seed of its own."""
        if site.name in _OWN:
            return None if site.has_argument else "own"
        if site.given(*_OWN_SEED) or (
            site.last == "train_test_split" and site.says("shuffle", False)
        ):
            return None
        for source, generator in GENERATORS.items():
            if site.name and generator.draws.fullmatch(site.name):
                return source
        if site.name == "torch.utils.data.DataLoader" and site.says("shuffle", True):
            return "torch"
        if re.fullmatch(r"sklearn\.[\w.]*Fold", site.name) and site.says("shuffle", True):
            return "numpy"
        return "numpy" if _samples_rows(site, imported) else None

    def findings(self) -> list[Diagnostic]:
        """Return a diagnostic for each source of chance that has no seed, at its first draw.

        What stands in a function runs when that is called, so a seed anywhere counts for it.
        """
        open_: dict[str, list[Draw]] = {}
        for draw in self._draws:
            if not draw.seeded and not (draw.site.inside and draw.source in self._seeded):
                key = draw.site.name if draw.source == "own" else draw.source
                open_.setdefault(key, []).append(draw)
        return [self._diagnostic(draws) for draws in open_.values()]

    def _diagnostic(self, draws: list[Draw]) -> Diagnostic:
        first = draws[0]
        call = first.site.written
        others = dict.fromkeys(d.cell.code.cell.index for d in draws if d.cell is not first.cell)
        span = first.cell.source.span(first.site.called)
        return rules.UNSEEDED.at(span, call=call, more=_also(list(others)), remedy=first.remedy)


def _remedy(site: Site, source: str, imported: Imported) -> str:
    generator = GENERATORS.get(source)
    if generator is None:
        return f"Give it a number: `{site.written}(0)`."
    module, _, rest = generator.remedy.partition(".")
    alias = next((name for name, whole in imported.names.items() if whole == module), module)
    seed = f"write `{alias}.{rest}` in the first cell"
    if source == "numpy" and not site.name.startswith("numpy."):
        return f"Give it `random_state=0`, or {seed}."
    return f"{seed[0].upper()}{seed[1:]}."


def _samples_rows(site: Site, imported: Imported) -> bool:
    """Whether it is pandas' `df.sample(5)`: drawn from NumPy's generator."""
    node = site.node
    if site.name or site.last != "sample" or not isinstance(node.func, ast.Attribute):
        return False
    root = root_name(node.func.value)
    rows = any(k.arg in ("n", "frac") for k in node.keywords)
    rows |= bool(node.args) and isinstance(node.args[0], ast.Constant)
    return "pandas" in imported.modules and rows and (root is None or root.id != "self")


def _also(cells: list[int]) -> str:
    """`; so do cells 4, 5, 9 and 2 more`: at most three are named."""
    if not cells:
        return ""
    shown = [str(index) for index in cells[:3]]
    if len(cells) > 3:
        shown.append(f"{len(cells) - 3} more")
    listed = ", ".join(shown[:-1])
    return f"; so do cells {listed} and {shown[-1]}" if listed else f"; so does cell {shown[0]}"
