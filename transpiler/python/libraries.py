"""What the analysis knows of Python, IPython and common libraries: tables, no logic.

They only sharpen the analysis. A name that is missing here makes it say more than is needed ("may change"), not less, but for
`ARGUMENT_MUTATORS`, where the sound answer would be every call there is (see `flow`).
"""

import builtins
import sys


def words(text: str) -> frozenset[str]:
    """Return the words of a text: a table that is easy to read and to add to."""
    return frozenset(text.split())


GIVEN = words(
    "display get_ipython In Out exit quit _ __ ___ _i _ii _iii _ih _oh _dh _exit_code __session__ __IPYTHON__"
)
"""Names IPython puts into the namespace or into builtins; with `_1`, `_i1`: see `is_given`."""

HISTORY = words("In _i _ii _iii _ih")
"""Names of the history of inputs; with `_i1`: see `is_history`."""

BUILTINS = (
    (frozenset(dir(builtins)) - {"_"})
    # of later Pythons than the oldest we run on, so that the answer does not depend on ours; and what `site` adds
    | words("PythonFinalizationError _IncompleteInputError copyright credits license help")
    # the namespace of a module has these from the start
    | words("__name__ __doc__ __package__ __loader__ __spec__ __builtins__ __builtin__")
    | words("__annotations__ __debug__ __build_class__ __import__")
) - GIVEN


def is_given(name: str) -> bool:
    """Whether IPython gives the name: `display`, `_`, `_12`, `_i12`."""
    return name in GIVEN or name.removeprefix("_i").isdigit() or name[1:].isdigit()


def is_history(name: str) -> bool:
    """Whether the name is of the history of inputs: `In`, `_i`, `_i12`."""
    return name in HISTORY or (name.startswith("_i") and name[2:].isdigit())


SCALARS = words(
    "abs all any ascii bin bool bytes callable chr complex divmod float format hasattr hash hex id input int isinstance range "
    "slice issubclass len oct ord pow repr round str type"
)
"""Builtins whose result cannot be changed and holds nothing of their arguments."""

ITERATORS = words("aiter enumerate filter iter map open reversed zip")
"""Builtins that give something that is used up by reading it."""

LIBRARY_ITERATORS = words(
    "accumulate batched chain combinations count cycle groupby islice open pairwise permutations product reader DictReader "
    "scandir starmap takewhile iglob rglob glob urlopen walk zip_longest StringIO BytesIO TextIOWrapper"
)
"""Functions of libraries that do."""

DEFAULTING = frozenset(["defaultdict", "Counter", "ChainMap", "LRUCache", "TTLCache"])
"""Mappings that a mere `d[key]` may change."""

CONTAINER_MUTATORS = words(
    "add append appendleft clear discard extend insert pop popitem popleft remove reverse setdefault sort update write"
)
"""Methods that change even what was imported by name, which is otherwise taken for a module."""

FIGURES = words(
    "add_subplot axes figure gca gcf subplot subplot_mosaic subplots twinx twiny make_subplots Figure"
)
"""Functions and methods that give something to draw on: `ax.plot` changes it, while `df.plot` leaves a data frame as it is."""

ARGUMENT_MUTATORS = words(
    "setattr delattr next anext heapify heappush heappop heappushpop heapreplace shuffle insort insort_left insort_right "
    "fill_diagonal put place copyto putmask setitem delitem iadd isub imul iconcat update_wrapper register seek truncate "
    "exhaust consume reload move_to_end put_along_axis zeros_ ones_ normal_ uniform_ xavier_uniform_ kaiming_uniform_ dump "
    "clip_grad_norm_"
)
"""Functions, by their last name, that change an argument in place (`heapq.heappush`, `random.shuffle`)."""

VIEWS = words(
    "asarray ascontiguousarray asanyarray atleast_1d atleast_2d atleast_3d ravel reshape squeeze swapaxes transpose view "
    "expand_dims moveaxis flip broadcast_to memoryview from_numpy frombuffer partial cast proxy getattr iter map filter zip "
    "enumerate reversed vars chain cycle islice deepcopy_view get setdefault items values keys xs loc iloc groupby rolling "
    "array_split split hsplit vsplit as_strided numpy detach cpu T ref"
)
"""Functions and methods whose result may share what their arguments or receiver hold."""

PURE_METHODS = words(
    # str, bytes, numbers
    "as_integer_ratio bit_length capitalize casefold center conjugate count decode encode endswith expandtabs find format "
    "format_map hex index is_integer isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable "
    "isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust "
    "rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper zfill "
    # containers
    "copy difference get intersection isdisjoint issubset issuperset items keys most_common symmetric_difference union values "
    # pandas, numpy
    "abs agg aggregate all any apply applymap argmax argmin argsort assign astype between bfill ceil clip combine "
    "combine_first compare corr count cov cummax cummin cumprod cumsum describe diff dot drop drop_duplicates "
    "dropna duplicated eq equals eval exp expanding explode factorize ffill fillna filter first flatten floor ge "
    "get_group groupby gt head idxmax idxmin info interpolate isin isna isnull item iterrows itertuples join keys kurt last le "
    "lt map mask max mean median melt memory_usage merge min mode mul ndim ne nlargest notna notnull nsmallest nunique pct_change "
    "pivot pivot_table plot prod quantile query rank ravel reindex rename reset_index resample reshape rolling round sample "
    "select_dtypes set_axis set_index shape shift size skew sort_index sort_values squeeze stack std sub sum swapaxes tail take "
    "to_csv to_dict to_excel to_frame to_html to_json to_list to_markdown to_numpy to_parquet to_pickle to_string tobytes "
    "tolist transform transpose trace truncate tz_convert tz_localize unique unstack value_counts var view where xs "
    # dates, paths, matches, tensors
    "date day dayofweek exists group groups groupdict is_dir is_file isoformat month read_bytes read_text strftime time "
    "timestamp total_seconds weekday with_name with_suffix year detach cpu numpy predict predict_proba score "
    "get_feature_names_out get_params summary"
)
"""Methods that leave their receiver as it is, in the libraries notebooks use most (unless called with `inplace=True`)."""

SAFE_LINE_MAGICS = words(
    "alias_magic autoawait autocall autoindent automagic autoreload aimport bookmark cat cd clear colors conda config cp "
    "debug dhist dirs env gui killbgscripts ldir less lf lk ll load_ext logoff logon logstart logstate logstop ls lsmagic "
    "lx magic man matplotlib mkdir more mv pastebin pdb pip popd pprint precision pushd pwd pycat quickref rehashx "
    "reload_ext rm rmdir sc set_env sx system tb unalias unload_ext uv mamba micromamba xmode"
)
"""Line magics of IPython that bind no name of the notebook and do not look at the frame they are called from."""

TIMING = frozenset(["time", "timeit", "prun", "memit", "mprun", "lprun", "snakeviz"])
"""Magics whose argument or body is Python."""

SAFE_CELL_MAGICS = words(
    "capture writefile html HTML javascript js latex markdown svg SVG bash sh script perl ruby python python3 python2 pypy "
    "cmd sx system !"
)
"""Cell magics that do not either; a `capture` body is run in the notebook's namespace."""

HISTORY_MAGICS = words("history hist recall rep rerun macro save edit notebook logstart")
"""Line magics that show or use the inputs as they were typed."""

IPYTHON_MAGICS = (
    SAFE_LINE_MAGICS
    | SAFE_CELL_MAGICS
    | HISTORY_MAGICS
    | frozenset(["time", "timeit", "prun"])
    | words(
        "alias autosave code_wrap connect_info doctest_mode ed load loadpy page pdef pdoc pfile pinfo pinfo2 psearch psource "
        "pylab qtconsole reset reset_selective run store subshell who who_ls whos xdel file"
    )
)
"""Every magic that a kernel of ipykernel has from its start (a test asks one), and a few that it had in the past."""

SETUP_CALLS = words(
    "set_option set_options reset_option filterwarnings simplefilter seed manual_seed set_theme set_style set_context "
    "set_palette basicConfig set_printoptions set_matplotlib_formats set_loglevel setLevel disable use seterr setlocale "
    "set_verbosity set_verbosity_error set_seed set_random_seed set_float32_matmul_precision reset_defaults rcdefaults "
    "disable_warnings init_notebook_mode output_notebook enable_eager_execution disable_max_rows register_matplotlib_converters "
    "register_cell_magic nest_asyncio set_default_dtype set_num_threads options set_config extension config"
)
"""Functions, by their last name, that set options and show nothing."""

SETUP_PREFIXES = (
    "rcParams", "options", "environ", "style", "rc", "defaults", "display", "config", "renderers", "data_transformers",
)  # fmt: skip
"""What options are stored in: `plt.rcParams[...]`, `pd.options.display.x`, `os.environ[...]`, `pio.renderers.default`."""

SETUP_MAGICS = words(
    "matplotlib load_ext reload_ext config autoreload aimport precision xmode colors autosave env set_env pip conda uv "
    "mamba gui pylab pdb"
)
"""Line magics that only set something up."""

READERS = words(
    "open imread imread_collection load loadtxt genfromtxt fromfile memmap loadmat read_text fromstring_file ElementTree "
    "ZipFile File Dataset Image from_file parse DictReader fromregex get_data load_workbook load_model CDLL connect "
    "open_dataset xlrd open_workbook Audio Video FileLink SVG safe_load_file"
)
"""Functions, by their last name, whose first argument may be the name of a file they read; and all `read_*`."""

PATH_READS = words("read_text read_bytes open iterdir glob rglob stat exists is_file")
"""Methods of a path that read it."""

STDLIB = frozenset(sys.stdlib_module_names) | words(
    # of other versions than the one we run on
    "asynchat asyncore distutils imp smtpd aifc audioop cgi cgitb chunk crypt imghdr mailcap msilib nis nntplib ossaudiodev "
    "pipes sndhdr spwd sunau telnetlib uu xdrlib lib2to3 __future__ __main__"
)

SHARED = words("google ruamel azure zope sphinxcontrib backports")
"""Names that several packages share: what stands below them is not looked for."""

COLAB = "google.colab"

NOT_LOOKED_FOR = STDLIB | SHARED | words("pipulate pipulate_runtime")
"""With what is there in any case: Python's own, and what an app has."""

_SAME_NAME = words(
    "altair anthropic astropy black bokeh boto3 catboost cvxpy cycler cython dash dask datasets deepdiff django duckdb emoji "
    "fastapi fastparquet flask folium gensim geopandas geopy great_tables gradio h5py holoviews httpx hvplot hypothesis igraph imageio "
    "ipywidgets jax jinja2 joblib jsonschema kaleido keras langchain librosa lightgbm lxml marimo markdown matplotlib mplfinance "
    "networkx nltk numba numexpr numpy openai openpyxl optuna osmnx pandas panel param patsy pingouin plotly plotnine polars "
    "praw prophet psutil pulp pyarrow pycountry pydantic pydeck pygments pymongo pymysql pyodide_http pytest pytz pyvis qrcode "
    "rasterio rdflib regex requests rich scipy scrapy seaborn selenium sentence_transformers shap shapely simpy spacy sqlalchemy "
    "sqlmodel statsmodels streamlit sympy tabulate tenacity tensorflow textblob thefuzz tiktoken torch torchvision tqdm "
    "transformers tweepy typer wikipedia wordcloud xarray xgboost xlrd xlsxwriter yellowbrick yfinance"
)
_OTHER_NAME = dict(
    pair.split("=")
    for pair in words(
        "Bio=biopython Crypto=pycryptodome Levenshtein=levenshtein MySQLdb=mysqlclient OpenSSL=pyopenssl PIL=pillow "
        "attr=attrs bs4=beautifulsoup4 cv2=opencv-python dateutil=python-dateutil docx=python-docx dotenv=python-dotenv "
        "faiss=faiss-cpu fitz=pymupdf git=gitpython jwt=pyjwt magic=python-magic mpl_toolkits=matplotlib pptx=python-pptx "
        "psycopg2=psycopg2-binary serial=pyserial skimage=scikit-image sklearn=scikit-learn umap=umap-learn "
        "vl_convert=vl-convert-python win32com=pywin32 yaml=pyyaml"
    )
)
"""Modules whose package has another name on PyPI."""


def package_of(module: str) -> str | None:
    """Return the package of PyPI that a well-known module is from; None for one that we do not know."""
    return _OTHER_NAME.get(module) or (module.replace("_", "-") if module in _SAME_NAME else None)
