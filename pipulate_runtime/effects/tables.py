"""What libraries do outside a run: tables, no logic. What stands nowhere here may do anything."""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["mail", "network", "database", "program", "file", "clock", "chance", "unknown"]

WORDS: Mapping[Kind, str] = {
    "mail": "send mail",
    "network": "use the network",
    "database": "use a database",
    "program": "start another program",
    "file": "write files outside this run",
    "clock": "use the time of day",
    "chance": "draw other random values",
    "unknown": "do something that nobody can tell from the code",
}
"""What a step that runs again may do, in the words of its card. The order is that of importance."""


class Effect(NamedTuple):
    """What a step may do, and the code that says so."""

    kind: Kind
    code: str


def words(text: str) -> frozenset[str]:
    """Return the words of a text: a table that is easy to read and to add to."""
    return frozenset(text.split())


COMPUTES = words(
    "abc altair argparse array ast asyncio base64 binascii bisect bokeh bs4 builtins bz2 calendar cmath collections "
    "colorsys concurrent configparser contextlib copy csv ctypes cycler dataclasses dateutil decimal difflib docx email "
    "enum errno faker fnmatch folium fpdf fractions functools fuzzywuzzy gc geopandas getpass glob gzip hashlib heapq hmac "
    "html http imageio imblearn importlib inspect io ipaddress ipywidgets itertools jinja2 joblib json keras keyword "
    "lightgbm linecache locale logging lxml lzma markdown math matplotlib mimetypes mlxtend mpl_toolkits multiprocessing "
    "networkx nltk numba numbers numexpr numpy openpyxl operator os pandas pathlib patsy pickle PIL platform plotly polars "
    "pprint prophet pyarrow pydantic pypdf PyPDF2 pytz queue rapidfuzz random re reportlab rich scipy seaborn shapely shlex "
    "shutil signal skimage sklearn smart_open spacy statistics statsmodels string struct sympy sys tabulate tempfile "
    "tensorflow textblob textwrap threading tiktoken time timeit tokenize toml tomllib torch torchvision tqdm traceback "
    "traitlets types typing typing_extensions unicodedata unidecode urllib uuid warnings weakref wordcloud xgboost "
    "xlrd xlsxwriter xml yaml zipfile zlib zoneinfo datetime IPython secrets catboost umap cv2 wave dis doctest codecs cProfile "
    "pstats"
)
"""Packages whose functions compute, but for those that OUTSIDE names and those that write to a path."""

_MAIL = "smtplib|yagmail|sendgrid|mailjet_rest|exchangelib|redmail|postmarker|mailchimp\\w*"
_NETWORK = (
    "requests|httpx|aiohttp|urllib3|urllib\\.request\\.(?!Request$)\\w+|http\\.(?:client|server)|socket|ssl|ftplib|imaplib|poplib|"
    "xmlrpc|websockets?|paramiko|fabric|boto3|botocore|google|googleapiclient|gspread|azure|openai|anthropic|slack_sdk|"
    "twilio|selenium|playwright|scrapy|praw|tweepy|telegram|discord|stripe|notion_client|airtable|pyairtable|jira|github|"
    "huggingface_hub|wandb|mlflow|yfinance|wikipedia|feedparser|requests_html|mechanize|webbrowser|pika|kafka|paho|"
    "asyncio\\.(?:open_connection|start_server|open_unix_connection)"
)
_DATABASE = (
    "sqlite3|psycopg2?|sqlalchemy|pymysql|MySQLdb|mysql|pymongo|redis|duckdb|oracledb|cx_Oracle|pyodbc|snowflake|"
    "clickhouse_\\w+|elasticsearch|cassandra|peewee|sqlmodel|tinydb|shelve|dbm|pandas\\.read_(?:sql\\w*|gbq)"
)
_PROGRAM = (
    "subprocess|pexpect|plumbum|sh|pty|invoke|os\\.(?:system|popen|exec\\w+|spawn\\w+|posix_spawn\\w*|fork\\w*|kill\\w*|"
    "startfile)|asyncio\\.create_subprocess_\\w+|multiprocessing\\.Process|signal\\.\\w*kill"
)
_CLOCK = (
    "time\\.(?:time|time_ns|perf_counter\\w*|monotonic\\w*|process_time\\w*|localtime|gmtime|ctime|asctime|strftime)|"
    "datetime\\.(?:datetime|date)\\.(?:now|utcnow|today)|pandas\\.Timestamp\\.(?:now|utcnow|today)|timeit"
)
_ESTIMATORS = (
    "RandomForest|ExtraTrees|MLP|SGD|Bagging|KMeans|MiniBatchKMeans|BisectingKMeans|TSNE|IsolationForest|GaussianMixture|"
    "BayesianGaussianMixture|RandomizedSearchCV|ShuffleSplit|StratifiedShuffleSplit|GroupShuffleSplit|train_test_split|"
    "permutation_importance|make_blobs|make_classification|make_regression|make_moons|make_circles|resample|shuffle|"
    "RandomOverSampler|RandomUnderSampler|SMOTE|ADASYN"
)
_CHANCE = (
    "random|secrets|uuid\\.uuid[14]|os\\.(?:urandom|getpid|getrandom)|numpy\\.random|scipy\\.stats\\.\\w+\\.rvs|umap\\.UMAP|"
    f"(?:sklearn|imblearn)\\.[\\w.]*\\b(?:{_ESTIMATORS})(?:Classifier|Regressor)?|"
    "torch\\.(?:rand\\w*|normal|bernoulli|multinomial|poisson|nn\\.\\w+)|tensorflow\\.random|keras\\.layers|"
    "tensorflow\\.keras\\.layers|faker|tempfile\\.(?:mk|gettemp|Temp)\\w+"
)

_PATTERNS: Mapping[Kind, str] = {
    "mail": _MAIL,
    "network": _NETWORK,
    "database": _DATABASE,
    "program": _PROGRAM,
    "clock": _CLOCK,
    "chance": _CHANCE,
}
_OUTSIDE = {kind: re.compile(rf"(?:{text})(?:\..*)?") for kind, text in _PATTERNS.items()}


def kind_of(name: str) -> Kind | None:
    """Return what a call of this full name does; None if it is not among what acts outside."""
    return next((kind for kind, names in _OUTSIDE.items() if names.fullmatch(name)), None)


SEEDS = re.compile(r"(random|numpy|torch|tensorflow|keras|faker)\b.*\b(?:\w*seed\w*)")
OWN_SEED = words("seed random_state rng generator")
OWN_GENERATOR = words("numpy.random.default_rng numpy.random.RandomState random.Random")
"""Give the same each time if they get a number."""

DOWNLOADS = re.compile(
    r"fetch_\w+|load_dataset|download\w*|from_pretrained|urlopen|urlretrieve|get_data_yahoo"
)
READS = re.compile(r"read_\w+|open|imread|load\w*|parse|ElementTree|safe_load|scan_\w+")
ADDRESS = re.compile(r"(?:https?|ftp|s3|gs|az|abfs|sftp|hdfs)://")

OS_READS = re.compile(
    r"os\.(?:path\..*|listdir|scandir|walk|getcwd|getenv|cpu_count|stat|fspath|fsencode|fsdecode|access|environ\..*|"
    r"get_terminal_size|sched_getaffinity|uname|getlogin|strerror|process_cpu_count|cpu_count)"
)
PATHS_WRITTEN = re.compile(
    r"os\.(?:makedirs|mkdir|remove|unlink|renames?|replace|rmdir|removedirs|symlink|link|chmod|chown|utime|truncate|mkfifo)|"
    r"shutil\.(?:rmtree|move|copy\w*|make_archive|unpack_archive|chown)"
)
"""Functions that change the files all of whose arguments name; of a copy the first is only read."""

OF_PATH = words("write_text write_bytes touch unlink rmdir mkdir symlink_to hardlink_to")
OF_PATH_TOO = words("rename replace chmod")
"""Methods of a path that write there. The second kind are methods of texts and tables as well."""

TO_FIRST = words(
    "to_csv to_excel to_parquet to_json to_pickle to_feather to_hdf to_html to_latex to_markdown to_stata to_xml to_orc "
    "to_netcdf to_file savefig save savez savez_compressed savetxt tofile imsave imwrite write_html write_image write_json "
    "write_csv write_parquet write_excel sink_csv sink_parquet extractall extract ExcelWriter write_png output_file "
    "write_graphml write_gexf write_gml output"
)
TO_SECOND = words("dump torch.save")
"""Functions and methods that write to the path, or the open file, that is their first or second argument."""

TARGETS = words("path path_or_buf excel_writer fname filename buf file fp f path_or_buffer outfile")
"""Names of that argument."""

IN_MEMORY = words(
    "io.BytesIO io.StringIO pathlib.Path.cwd os.getcwd tempfile.NamedTemporaryFile tempfile.TemporaryFile "
    "tempfile.TemporaryDirectory tempfile.mkdtemp tempfile.gettempdir tempfile.mkstemp"
)
"""Give a place that is the run's, or nobody else's."""

OF_FIRST = words(
    "pathlib.Path pathlib.PurePath pathlib.PosixPath str os.path.join os.fspath os.path.abspath open io.open gzip.open "
    "bz2.open lzma.open codecs.open zipfile.ZipFile tarfile.open pandas.ExcelWriter csv.writer csv.DictWriter "
    "os.path.basename os.path.splitext matplotlib.backends.backend_pdf.PdfPages"
)
"""Give a place, or an open file, that is where their first argument is."""

DATA = words(
    "json text content read readline readlines decode fetchall fetchone fetchmany scalar scalars tolist to_pandas df "
    "status_code ok headers url reason encoding description rowcount lastrowid columns keys values items copy"
)
"""Methods and attributes of what a library gave that are mere values."""

CALLING = words("map filter sorted min max iter next list tuple set any all sum dict")
"""Builtins that call what they are given, or go through it."""
DYNAMIC = words("exec eval compile __import__ globals locals vars")
"""Builtins that reach what no name spells."""
WITHIN = words("matplotlib config autoreload load_ext precision pylab who whos pwd env set_env pip conda html markdown "
               "latex svg javascript js HTML SVG capture prun xmode colors pprint page alias_magic unload_ext "
               "cat ls ll mkdir pycat psource pdoc pdef pinfo pinfo2 pfile history hist who_ls whos reset_selective")  # fmt: skip
MAGICS: Mapping[str, Kind] = {
    "time": "clock",
    "timeit": "clock",
    "sql": "database",
    "cd": "file",
    **dict.fromkeys(
        words("! bash sh script sx system cmd perl ruby python python3 powershell"), "program"
    ),
}
