"""Words in names that tell inputs from other constants, and what they say about limits. Tables only."""

import re

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    """Words that mean something side by side, with commas between the pairs."""
    pairs = (pair.split() for pair in text.split(","))
    return frozenset((first, second) for first, second in pairs)


def parts(name: str) -> tuple[str, ...]:
    """Return the words of a variable's name, in lower case: `minAmount`, `MIN_AMOUNT` give `min`, `amount`."""
    return tuple(word.lower() for word in _PARTS.findall(name))


INPUT = _set("""
    age alpha amount author batch beta budget capital category channel city clusters company components confidence
    cost country currency customer cutoff database dataset date day days delta depth dir directory distance domain dropout duration
    email encoding end epochs eps epsilon feature file filename folder food frequency from gamma gene goal height horizon hour hours
    host income infile input insurance iter iterations iters keyword kernel keywords lag lang language lat latitude length level
    limit lng location lon longitude lr margin mass max method metric min minute minutes model month months name
    neighbors node outfile output pages path pattern penalty period periods person place port price principal product
    project prompt quantity query question radius rate ratio recipient region rent repo replacement salary samples sampling
    savings search season server sheet sheets sigma simulations sims site size speed split start station status steps stop store subject
    symbol target temperature term text threshold ticker timeout to tol tolerance top topic trend until url urls user username var
    variable vat volatility weeks weight width window year years zip zoom
    """)
"""Words that name what a user decides: amounts, limits, times, places, names, files, parameters of methods."""

SECRET = _set("apikey auth credential credentials passphrase passwd password pwd secret token")
SECRET_PAIRS = _pairs("""
    api key, access key, consumer key, secret key, private key, account key, subscription key, client key, license
    key
    """)
NOT_SECRET = _set("max min n num count length limit size per tokens")
"""Words beside `token` and the like that make it a number or a name of something else: `max_token`."""

SCRATCH = _set("""
    a aa answer arr b bar buf buffer cache calls cnt counter count d data demo dummy example flag foo found idx index
    i item items j length lst msg my new num obj old out res result results s sum tmp temp test total val value values
    x xs y ys z done body acc accumulator errors header headers
    """)
"""Whole names of what a program keeps for itself: counters, results, things of a lesson."""

LOOK = _set("""
    ax axes bins cmap color colors colormap colour colours dpi edgecolor facecolor fig figsize font fontsize height_ratios
    hatch legend linestyle linewidth lw marker markers markersize palette plot projection style theme title xlabel xlim
    ylabel ylim
    """)
LOOK_PAIRS = _pairs("""
    line width, font size, label size, marker size, fig size, fig width, fig height, title size, line style, tick
    size
    """)
"""How a picture looks: its owner decided that."""

FIXED = _set("pi tau euler avogadro boltzmann planck per gravity hbar epsilon0")
FIXED_PAIRS = _pairs("""
    speed of, base url, user agent, num classes, random state, n classes, n features, api url, api version, root
    url
    """)
FIXED_LETTERS = frozenset(["G", "C", "c", "e", "R", "H", "kB", "k_B", "NA", "N_A", "π"])
"""What does not change from run to run: constants of nature, counts that follow from the data, addresses of a service."""

SEEDS = _set("seed seeds")
SWITCHES = _set(
    "add allow debug do enable exclude export force include is plot print save show skip use verbose with"
)

SECTION = re.compile(
    r"\b(?:param\w*|config\w*|settings?|inputs?|options?|user (?:input|settings?|variables)|variables to (?:set|change)|"
    r"change (?:these|this|me)|adjust|constants?|choose|einstellungen|eingaben?|parameter|setup values|assumptions?)\b",
    re.IGNORECASE,
)
"""Headings and comments above assignments that are made to be changed."""

FRACTIONS = _set(
    "alpha confidence dropout fraction frac probability prob ratio quantile share split"
)
PERCENT = _set("percent percentage pct percentile")
COUNTS = _set("""
    batch bins clusters components days depth epochs estimators hours iter iterations iters months neighbors pages periods points
    rows samples simulations sims steps tweets weeks window years
    """)
"""Words of numbers that have natural limits: from 0 to 1, from 0 to 100, from 1."""
