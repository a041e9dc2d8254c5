"""Beginnings of notebooks without marks, and what a person would want to be asked for in the app.

Written before anything was scored. Each is percent format; the last line says the names wanted (none is an answer, too). The
first half of every pair is for tuning, the second is held out: `TUNING` and `HELD_OUT` are the even and the odd ones.
"""

import re
from typing import NamedTuple

_TEXT = r'''
=== sales_threshold
import pandas as pd
# %%
df = pd.read_csv("sales.csv")
df.head()
# %%
MIN_AMOUNT = 500
REGION = "North"
big = df[(df.amount >= MIN_AMOUNT) & (df.region == REGION)]
# %%
big.groupby("month").amount.sum().plot(title=f"Above {MIN_AMOUNT} in {REGION}")
--- MIN_AMOUNT REGION
=== stock_window
import yfinance as yf
import matplotlib.pyplot as plt
plt.rcParams["figure.figsize"] = (10, 4)
# %%
ticker = "AAPL"
start = "2020-01-01"
end = "2023-12-31"
# %%
prices = yf.download(ticker, start=start, end=end)
prices.tail()
# %%
window = 20
prices["ma"] = prices.Close.rolling(window).mean()
ax = prices[["Close", "ma"]].plot()
ax.set_title(ticker)
--- ticker start end window
=== keras_digits
import tensorflow as tf
from tensorflow import keras
# %%
batch_size = 128
num_classes = 10
epochs = 12
img_rows, img_cols = 28, 28
# %%
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
y_train = keras.utils.to_categorical(y_train, num_classes)
# %%
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(num_classes)])
history = model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs)
--- batch_size epochs
=== scraper
import requests
from bs4 import BeautifulSoup
# %%
url = "https://example.org/news"
headers = {"User-Agent": "Mozilla/5.0"}
page = requests.get(url, headers=headers)
# %%
soup = BeautifulSoup(page.text, "html.parser")
titles = []
for item in soup.select("h2"):
    titles.append(item.text)
# %%
count = len(titles)
print(f"{count} titles on {url}")
--- url
=== loan
# Loan calculator
principal = 200000
annual_rate = 3.5
years = 25
# %%
n = years * 12
r = annual_rate / 100 / 12
payment = principal * r / (1 - (1 + r) ** -n)
payment
# %%
balance = principal
total = 0
for month in range(n):
    interest = balance * r
    balance -= payment - interest
    total += interest
total
--- principal annual_rate years
=== physics_constants
import numpy as np
# %%
G = 6.674e-11
C = 299792458
SPEED_OF_SOUND = 343.0
SECONDS_PER_DAY = 86400
# %%
mass = 5.972e24  # kg
radius = 6.371e6  # m
# %%
g = G * mass / radius ** 2
v = np.sqrt(2 * g * radius)
v / C, v / SPEED_OF_SOUND, radius / v / SECONDS_PER_DAY
--- mass radius
=== titanic
import pandas as pd
import seaborn as sns
sns.set_theme()
# %%
train = pd.read_csv("train.csv")
test = pd.read_csv("test.csv")
# %%
features = ["Pclass", "Sex", "SibSp", "Parch"]
target = "Survived"
X = pd.get_dummies(train[features])
y = train[target]
# %%
from sklearn.ensemble import RandomForestClassifier
model = RandomForestClassifier(n_estimators=100, max_depth=5, random_state=1)
model.fit(X, y)
---
=== report_paths
import os
import pandas as pd
# %%
INPUT_FILE = "data/raw/orders_2023.csv"
OUTPUT_DIR = "out"
ENCODING = "utf-8"
# %%
orders = pd.read_csv(INPUT_FILE, encoding=ENCODING)
os.makedirs(OUTPUT_DIR, exist_ok=True)
# %%
counter = 0
for country, part in orders.groupby("country"):
    part.to_csv(f"{OUTPUT_DIR}/{country}.csv")
    counter += 1
print(counter, "files")
--- INPUT_FILE OUTPUT_DIR ENCODING
=== openai_summary
import openai
# %%
OPENAI_API_KEY = "sk-aaaabbbbccccddddeeeeffff00001111"
MODEL = "gpt-4o-mini"
TEMPERATURE = 0.2
client = openai.OpenAI(api_key=OPENAI_API_KEY)
# %%
prompt = """Summarise this text
in three sentences."""
text = open("article.txt").read()
# %%
answer = client.chat.completions.create(model=MODEL, temperature=TEMPERATURE, messages=[{"role": "user", "content": prompt + text}])
answer.choices[0].message.content
--- OPENAI_API_KEY MODEL TEMPERATURE prompt
=== sir_model
import numpy as np
from scipy.integrate import odeint
import matplotlib.pyplot as plt
# %%
# Total population, initial infected and recovered
N = 1000
I0, R0 = 1, 0
S0 = N - I0 - R0
# contact rate and mean recovery rate (in 1/days)
beta = 0.2
gamma = 0.1
days = 160
t = np.linspace(0, days, days)
# %%
def deriv(y, t, N, beta, gamma):
    S, I, R = y
    return -beta * S * I / N, beta * S * I / N - gamma * I, gamma * I
ret = odeint(deriv, (S0, I0, R0), t, args=(N, beta, gamma))
# %%
fig = plt.figure(facecolor="w")
lw = 2
plt.plot(t, ret[:, 0] / N, lw=lw, label="Susceptible")
plt.plot(t, ret[:, 1] / N, lw=lw, label="Infected")
--- N beta gamma days
=== python_tutorial
# Variables
x = 5
y = "Hello"
print(x, y)
# %%
fruits = ["apple", "banana", "cherry"]
for x in fruits:
    print(x)
# %%
i = 1
while i < 6:
    print(i)
    i += 1
# %%
thisdict = {"brand": "Ford", "year": 1964}
thisdict["year"] = 2018
print(thisdict)
---
=== geo_map
import folium
# %%
center_lat = 52.52
center_lon = 13.405
zoom = 11
m = folium.Map(location=[center_lat, center_lon], zoom_start=zoom)
# %%
places = [{"name": "Dom", "lat": 52.519, "lon": 13.401}, {"name": "Tor", "lat": 52.516, "lon": 13.377}]
for p in places:
    folium.Marker([p["lat"], p["lon"]], popup=p["name"]).add_to(m)
# %%
max_distance_km = 3
near = [p for p in places if abs(p["lat"] - center_lat) * 111 < max_distance_km]
near
--- center_lat center_lon zoom max_distance_km
=== weather_api
import requests
import pandas as pd
BASE_URL = "https://api.open-meteo.com/v1/forecast"
CITY = "Hamburg"
LATITUDE = 53.55
LONGITUDE = 9.99
FORECAST_DAYS = 7
# %%
params = {"latitude": LATITUDE, "longitude": LONGITUDE, "forecast_days": FORECAST_DAYS, "hourly": "temperature_2m"}
data = requests.get(BASE_URL, params=params).json()
# %%
df = pd.DataFrame(data["hourly"])
df.plot(title=CITY)
--- CITY LATITUDE LONGITUDE FORECAST_DAYS
=== clustering
import numpy as np
from sklearn.cluster import KMeans
RANDOM_STATE = 42
# %%
data = np.loadtxt("points.txt")
n_clusters = 4
max_iter = 300
km = KMeans(n_clusters=n_clusters, max_iter=max_iter, random_state=RANDOM_STATE).fit(data)
# %%
colors = ["r", "g", "b", "c"]
for k in range(n_clusters):
    print(k, colors[k], (km.labels_ == k).sum())
--- n_clusters max_iter
=== cohort_dates
import pandas as pd
from datetime import date
# %%
## Settings
REPORT_DATE = "2024-03-31"
CURRENCY = "EUR"  # "EUR", "USD" or "GBP"
INCLUDE_RETURNS = False
TOP_N = 10
# %%
df = pd.read_parquet("orders.parquet")
df = df[df.date <= REPORT_DATE]
if not INCLUDE_RETURNS:
    df = df[~df.returned]
# %%
factor = {"EUR": 1.0, "USD": 1.08, "GBP": 0.85}[CURRENCY]
(df.groupby("product").revenue.sum() * factor).nlargest(TOP_N)
--- REPORT_DATE CURRENCY INCLUDE_RETURNS TOP_N
=== ab_test
from scipy import stats
import numpy as np
# %%
control_visitors = 12000
control_conversions = 600
variant_visitors = 11800
variant_conversions = 690
alpha = 0.05
# %%
p1 = control_conversions / control_visitors
p2 = variant_conversions / variant_visitors
p = (control_conversions + variant_conversions) / (control_visitors + variant_visitors)
se = np.sqrt(p * (1 - p) * (1 / control_visitors + 1 / variant_visitors))
# %%
z = (p2 - p1) / se
p_value = 2 * (1 - stats.norm.cdf(abs(z)))
print("significant" if p_value < alpha else "not significant")
--- control_visitors control_conversions variant_visitors variant_conversions alpha
=== matplotlib_gallery
import matplotlib.pyplot as plt
import numpy as np
# %%
figsize = (8, 5)
dpi = 150
cmap = "viridis"
fontsize = 12
# %%
x = np.linspace(0, 10, 200)
fig, ax = plt.subplots(figsize=figsize, dpi=dpi)
ax.scatter(x, np.sin(x), c=x, cmap=cmap)
ax.set_title("sine", fontsize=fontsize)
# %%
colors = ["#1f77b4", "#ff7f0e"]
line_width = 2
ax.plot(x, np.cos(x), color=colors[0], lw=line_width)
---
=== word_count
import re
from collections import Counter
# %%
filename = "alice.txt"
stopwords = {"the", "a", "and", "of"}
top_n = 20
# %%
words = re.findall(r"\w+", open(filename).read().lower())
counts = Counter(w for w in words if w not in stopwords)
# %%
for word, count in counts.most_common(top_n):
    print(word, count)
--- filename top_n
=== sql_report
import sqlite3
import pandas as pd
DB = "shop.db"
conn = sqlite3.connect(DB)
# %%
query = """
select customer, sum(total) as total
from orders group by customer
"""
df = pd.read_sql(query, conn)
# %%
threshold = 1000
df[df.total > threshold]
# %%
result = ""
for _, row in df.iterrows():
    result += row.customer + "\n"
print(result)
--- DB threshold
=== db_password
import sqlalchemy as sa
import pandas as pd
# %%
host = "db.example.org"
user = "report"
password = "hunter2!"
port = 5432
engine = sa.create_engine(f"postgresql://{user}:{password}@{host}:{port}/sales")
# %%
year = 2023
df = pd.read_sql("select * from sales where year = %(y)s", engine, params={"y": year})
# %%
df.groupby("month").sum()
print("Sales of", year)
--- host user password port year
=== image_filter
import cv2
import numpy as np
# %%
image_path = "photos/cat.jpg"
kernel_size = 5
sigma = 1.5
# %%
img = cv2.imread(image_path)
blurred = cv2.GaussianBlur(img, (kernel_size, kernel_size), sigma)
# %%
low, high = 50, 150
edges = cv2.Canny(blurred, low, high)
cv2.imwrite("edges.png", edges)
--- image_path kernel_size sigma
=== seo_audit
import pandas as pd
import requests
# %%
DOMAIN = "example.com"
SITEMAP_URL = "https://example.com/sitemap.xml"
MAX_PAGES = 50
TIMEOUT = 10
USER_AGENT = "audit-bot/1.0"
# %%
xml = requests.get(SITEMAP_URL, timeout=TIMEOUT, headers={"User-Agent": USER_AGENT}).text
urls = [u for u in xml.split("<loc>") if DOMAIN in u][:MAX_PAGES]
# %%
results = []
errors = 0
for u in urls:
    try:
        results.append(requests.get(u, timeout=TIMEOUT).status_code)
    except OSError:
        errors += 1
pd.Series(results).value_counts()
--- DOMAIN SITEMAP_URL MAX_PAGES TIMEOUT
=== gradient_descent
import numpy as np
np.random.seed(0)
# %%
X = 2 * np.random.rand(100, 1)
y = 4 + 3 * X
# %%
learning_rate = 0.1
n_iterations = 1000
m = 100
theta = np.zeros((2, 1))
# %%
tolerance = 1e-6
for iteration in range(n_iterations):
    gradient = 2 / m * X.T.dot(X * theta[1] - y)
    theta = theta - learning_rate * gradient
    if abs(gradient).max() < tolerance:
        break
theta
--- learning_rate n_iterations tolerance
=== monte_carlo
import random
# %%
# number of simulations
n_sims = 10000
start_capital = 50000
yearly_return = 0.06
volatility = 0.15
horizon = 30
seed = 7
# %%
random.seed(seed)
finals = []
for _ in range(n_sims):
    value = start_capital
    for _ in range(horizon):
        value *= 1 + random.gauss(yearly_return, volatility)
    finals.append(value)
# %%
finals.sort()
print("median", finals[n_sims // 2])
--- n_sims start_capital yearly_return volatility horizon
=== pandas_clean
import pandas as pd
# %%
df = pd.DataFrame({"a": [1, 2, None], "b": ["x", None, "z"]})
df.info()
# %%
missing = df.isna().sum()
missing
# %%
mapping = {"x": "first", "z": "last"}
df["b"] = df.b.map(mapping)
cols = ["a", "b"]
df[cols]
# %%
n_rows = len(df)
done = True
print(n_rows, done)
---
=== recommender
import numpy as np
import pandas as pd
# %%
ratings = pd.read_csv("ratings.csv")
movies = pd.read_csv("movies.csv")
# %%
user_id = 42
top_k = 10
min_ratings = 20
# %%
popular = ratings.groupby("movieId").size()
popular = popular[popular > min_ratings].index
mine = ratings[(ratings.userId == user_id) & ratings.movieId.isin(popular)]
# %%
mine.merge(movies).nlargest(top_k, "rating")
--- user_id top_k min_ratings
=== gpt_finetune
import torch
from transformers import AutoTokenizer, AutoModelForCausalLM, TrainingArguments
# %%
MODEL_NAME = "distilgpt2"
DATASET = "wikitext"
MAX_LENGTH = 128
LR = 5e-5
EPOCHS = 3
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# %%
tokenizer = AutoTokenizer.from_pretrained(MODEL_NAME)
model = AutoModelForCausalLM.from_pretrained(MODEL_NAME).to(DEVICE)
# %%
args = TrainingArguments("out", num_train_epochs=EPOCHS, learning_rate=LR)
from datasets import load_dataset
data = load_dataset(DATASET).map(lambda r: tokenizer(r["text"], max_length=MAX_LENGTH))
--- MODEL_NAME DATASET MAX_LENGTH LR EPOCHS
=== invoice
from datetime import date
# %%
customer = "ACME Ltd."
hours = 37.5
hourly_rate = 95
vat = 0.19
# %%
net = hours * hourly_rate
gross = net * (1 + vat)
# %%
print(f"Invoice for {customer}, {date.today()}")
print(f"{net:.2f} net, {gross:.2f} gross")
--- customer hours hourly_rate vat
=== survey
import pandas as pd
import matplotlib.pyplot as plt
# %%
path = "/home/anna/survey/answers.xlsx"
sheet = "Wave 2"
# %%
df = pd.read_excel(path, sheet_name=sheet)
questions = {"q1": "How satisfied are you?", "q2": "Would you come back?"}
df = df.rename(columns=questions)
# %%
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
age_groups = [0, 18, 30, 45, 60, 100]
df["group"] = pd.cut(df.age, age_groups)
df.groupby("group").size().plot.bar()
plt.xticks(range(12), MONTHS)
--- path sheet
=== interpolation
import numpy as np
from scipy.interpolate import interp1d
# %%
method = "linear"
n_points = 50
show_original = True
x = [0, 1, 2, 3, 4]
y = [0, 1, 4, 9, 16]
# %%
if method == "linear":
    f = interp1d(x, y)
elif method == "cubic":
    f = interp1d(x, y, kind="cubic")
else:
    f = np.poly1d(np.polyfit(x, y, 2))
# %%
import matplotlib.pyplot as plt
xs = np.linspace(0, 4, n_points)
plt.plot(xs, f(xs))
if show_original:
    plt.plot(x, y, "o")
--- method n_points show_original
=== fibonacci
def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
# %%
n = 10
print([fib(i) for i in range(n)])
# %%
cache = {}
calls = 0
def fast(k):
    global calls
    calls += 1
    return cache.setdefault(k, fib(k))
fast(n), calls
--- n
=== twitter
import tweepy
consumer_key = "AbCdEfGhIjKlMnOpQrStUvWxY"
consumer_secret = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcd"
auth = tweepy.OAuthHandler(consumer_key, consumer_secret)
api = tweepy.API(auth)
# %%
search_term = "#climate"
lang = "en"
max_tweets = 200
# %%
tweets = []
for tweet in tweepy.Cursor(api.search, q=search_term, lang=lang).items(max_tweets):
    tweets.append(tweet.text)
# %%
print(len(tweets), "tweets about", search_term)
--- consumer_key consumer_secret search_term lang max_tweets
=== energy
import pandas as pd
# Configuration
DATA_FOLDER = "./data"
YEAR = 2022
COUNTRY = "DE"
RESAMPLE = "1h"
VERBOSE = True
# %%
df = pd.read_csv(f"{DATA_FOLDER}/{COUNTRY}_{YEAR}.csv", parse_dates=["time"])
df = df.set_index("time").resample(RESAMPLE).mean()
# %%
if VERBOSE:
    print(df.describe())
HOURS_PER_YEAR = 8760
df.power.sum() / HOURS_PER_YEAR
# %%
df.power.plot(title=f"{COUNTRY} {YEAR}")
--- DATA_FOLDER YEAR COUNTRY RESAMPLE VERBOSE
=== regex_lab
import re
# %%
text = "Call 030-123 or 040-456 today."
pattern = r"\d{3}-\d{3}"
re.findall(pattern, text)
# %%
replacement = "***"
re.sub(pattern, replacement, text)
# %%
flag = False
tmp = text.split()
for w in tmp:
    if w.isupper():
        flag = True
flag
--- text pattern replacement
=== spacy_ner
import spacy
nlp = spacy.load("en_core_web_sm")
# %%
sample_text = "Apple is looking at buying a startup in London for $1 billion."
doc = nlp(sample_text)
# %%
label_filter = "ORG"
[(e.text, e.label_) for e in doc.ents if e.label_ == label_filter]
# %%
total = 0
for e in doc.ents:
    total += len(e.text)
total, len(sample_text)
--- sample_text label_filter
=== genetics
import gzip
# %%
fasta = "genomes/ecoli.fa.gz"
gene = "lacZ"
min_length = 300
codon_table = {"ATG": "M", "TGG": "W", "TAA": "*", "TAG": "*", "TGA": "*", "GCA": "A"}
# %%
sequence = ""
with gzip.open(fasta, "rt") as handle:
    for line in handle:
        if not line.startswith(">"):
            sequence += line.strip()
# %%
orfs = [o for o in sequence.split("TAA") if len(o) >= min_length]
protein = "".join(codon_table.get(c, "X") for c in orfs[0])
print(gene, protein[:20])
--- fasta gene min_length
=== budget
# Monthly budget
income = 3200
rent = 950
food = 400
insurance = 180
savings_goal = 0.2
# %%
fixed = rent + insurance
free = income - fixed - food
# %%
goal = income * savings_goal
print("on track" if free >= goal else f"{goal - free:.0f} short")
--- income rent food insurance savings_goal
=== ocean_netcdf
import xarray as xr
import cartopy.crs as ccrs
# %%
nc_file = "sst.mnmean.nc"
lat_min = -30
lat_max = 30
first_year = 1990
var = "sst"
projection = "PlateCarree"
# %%
ds = xr.open_dataset(nc_file)
region = ds[var].sel(lat=slice(lat_max, lat_min))
# %%
recent = region.sel(time=region.time.dt.year >= first_year)
recent.mean("time").plot(subplot_kws={"projection": getattr(ccrs, projection)()})
--- nc_file lat_min lat_max first_year var
=== decorators_course
import functools
import time
# %%
DEBUG = False
__version__ = "1.0"
def timed(f):
    @functools.wraps(f)
    def inner(*a):
        t = time.time()
        r = f(*a)
        if DEBUG:
            print(time.time() - t)
        return r
    return inner
# %%
_cache = {}
@timed
def square(n):
    return n * n
# %%
numbers = [1, 2, 3]
for n in numbers:
    print(square(n))
---
=== forecast
import pandas as pd
from statsmodels.tsa.holtwinters import ExponentialSmoothing
# %% [markdown]
# Parameters
# %%
product = "Bikes"
horizon_months = 6
season = 12
trend = "add"
train_until = "2023-06-30"
# %%
s = pd.read_csv("demand.csv", index_col=0, parse_dates=True)[product]
train = s[:train_until]
# %%
fit = ExponentialSmoothing(train, trend=trend, seasonal_periods=season).fit()
fit.forecast(horizon_months).plot(title=product)
--- product horizon_months season trend train_until
=== pca
import numpy as np
from sklearn.decomposition import PCA
from sklearn.datasets import load_digits
# %%
digits = load_digits()
X, y = digits.data, digits.target
# %%
n_components = 2
pca = PCA(n_components)
proj = pca.fit_transform(X)
# %%
variance_goal = 0.95
cumulative = np.cumsum(PCA().fit(X).explained_variance_ratio_)
best = np.argmax(cumulative > variance_goal)
label_size = 8
marker = "o"
best, marker, label_size
--- n_components variance_goal
=== email_report
import smtplib
from email.message import EmailMessage
# %%
recipient = "boss@example.org"
subject = "Weekly figures"
smtp_server = "mail.example.org"
SMTP_PASSWORD = "pa55word-of-mail"
# %%
msg = EmailMessage()
msg["To"] = recipient
msg["Subject"] = subject
# %%
body = ""
for line in open("figures.txt"):
    body += line
msg.set_content(body)
with smtplib.SMTP(smtp_server) as s:
    s.login("me", SMTP_PASSWORD)
    s.send_message(msg)
--- recipient subject smtp_server SMTP_PASSWORD
=== knn_by_hand
import numpy as np
# %%
k = 3
metric = "euclidean"  # euclidean | manhattan
points = [[1, 2], [2, 1], [8, 9], [9, 8]]
labels = ["a", "a", "b", "b"]
new_point = [2, 2]
# %%
def distance(p, q):
    d = np.abs(np.array(p) - np.array(q))
    return d.sum() if metric == "manhattan" else np.sqrt((d ** 2).sum())
ranked = sorted(range(len(points)), key=lambda i: distance(points[i], new_point))
# %%
votes = [labels[i] for i in ranked[:k]]
max(set(votes), key=votes.count)
--- k metric new_point
=== log_analysis
import re
from collections import defaultdict
LOG_FILE = "/var/log/nginx/access.log"
STATUS = 404
LINE = re.compile(r'"(?:GET|POST) (\S+) [^"]*" (\d{3})')
# %%
hits = defaultdict(int)
bad_lines = 0
with open(LOG_FILE) as f:
    for line in f:
        match = LINE.search(line)
        if not match:
            bad_lines += 1
        elif int(match[2]) == STATUS:
            hits[match[1]] += 1
# %%
at_least = 5
sorted(((n, p) for p, n in hits.items() if n >= at_least), reverse=True)
--- LOG_FILE STATUS at_least
'''


class Labelled(NamedTuple):
    """A notebook in percent format, and the names that a person would want as inputs."""

    name: str
    text: str
    wanted: frozenset[str]


def _all() -> tuple[Labelled, ...]:
    made = []
    for piece in re.split(r"^=== ", _TEXT, flags=re.MULTILINE)[1:]:
        head, _, rest = piece.partition("\n")
        body, _, names = rest.rpartition("\n---")
        made.append(Labelled(head, body, frozenset(names.split())))
    return tuple(made)


ALL = _all()
TUNING, HELD_OUT = ALL[::2], ALL[1::2]
