"""Keys in a notebook: found, overwritten, asked for instead; and what only looks like one stays."""

import pytest

from tests.build import code, emitted, md, only_step, plan_of
from tests.helpers import annotated, codes_of
from transpiler.notebook.secrets import filler, has_filler, is_filler, overwrite_keys

LETTERS = "q7Zt2Rk9Xw4Lb1Vn8Ps3Dm6Hc0Jf5GyT" * 6
HEX = "0f3a9c81d27be645" * 3

KEYS = {
    "OpenAI": "sk-" + LETTERS[20:68],
    "OpenAI, of a project": "sk-proj-" + LETTERS[25:90],
    "GitHub": "ghp_" + LETTERS[5:41],
    "GitHub, fine": "github_pat_" + LETTERS[5:60],
    "AWS": "AKIAIOSFODNN7EXAMPLE",
    "Google": "AIza" + LETTERS[:35],
    "Hugging Face": "hf_" + LETTERS[:34],
    "Slack": "xoxb-" + LETTERS[50:70],
    "Stripe": "sk_live_" + LETTERS[:24],
    "JSON web token": f"eyJ{LETTERS[:20]}.eyJ{LETTERS[:30]}.{LETTERS[:40]}",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
@pytest.mark.parametrize(
    "line", ["x = '{}'", "# {}", "f'Bearer {} and more'", "%env API={}", "curl({}, a={{}})"]
)
def test_a_key_is_overwritten_wherever_it_stands(key: str, line: str) -> None:
    text = line.format(key)
    after = overwrite_keys(text)
    assert after == text.replace(key, filler(len(key)))
    assert overwrite_keys(after) == after


@pytest.mark.parametrize(
    "line",
    [
        f'API_KEY = "{HEX[:32]}"',
        f"my_token: str = '{HEX[:40]}'",
        f'os.environ["SERVICE_SECRET"] = "{LETTERS[3:40]}"',
        f'connect(password="{LETTERS[10:40]}")',
        f'{{"api_key": "{LETTERS[7:40]}"}}',
        f'os.environ.setdefault("AUTH_TOKEN", "{HEX[:32]}")',
    ],
)
def test_what_is_called_a_secret_and_looks_drawn_by_lot(line: str) -> None:
    assert has_filler(overwrite_keys(line))
    assert overwrite_keys(line, code=False) == line, "in prose only what is surely a key"


@pytest.mark.parametrize(
    "line",
    [
        "x = 'sk-learn-cheat-sheet-for-beginners'",
        f"digest = '{HEX[:40]}'",
        "API_KEY = ''",
        "API_KEY = os.environ['API_KEY']",
        "password = 'correct horse battery staple'",
        "password = 'enter_your_password_here'",
        "token = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
        "api_key = 'your-api-key-goes-right-here-1'",
        "secret_file = 'data/2024/secrets/list_of_secrets.csv'",
        "tokens = '12345678901234567890123456789012'",
        "x = 'AKIA'",
        "MASKIAAKIAIOSFODNN7EXAMPLE",
    ],
)
def test_what_only_looks_like_one_stays(line: str) -> None:
    assert overwrite_keys(line) == line


def test_a_private_key_keeps_its_lines() -> None:
    text = f'x = """-----BEGIN RSA PRIVATE KEY-----\n{LETTERS[:64]}\n{LETTERS[:20]}\n-----END RSA PRIVATE KEY-----"""'
    after = overwrite_keys(text)
    assert LETTERS[:20] not in after
    assert [len(line) for line in after.split("\n")] == [len(line) for line in text.split("\n")]
    compile(after, "x", "exec")


def test_nothing_of_a_key_is_in_the_plugin_and_the_app_asks_for_it() -> None:
    aws, other = KEYS["AWS"], KEYS["GitHub"]
    cells = [
        md(f"# Keys\nUse {other} here."),
        f'OPENAI_KEY = "{KEYS["OpenAI"]}"  # {aws}\n'
        f'client = dict(token="{other}", headers={{"Authorization": f"Bearer {other}"}})\n'
        f'def again(key="{aws}"):\n    return key\nagain()',
    ]
    text = emitted(*cells)
    assert not any(key in text for key in KEYS.values())
    step = only_step(plan_of(*cells))
    assert [(f.name, f.type, f.default) for f in step.fields] == [
        ("OPENAI_KEY", "password", ""),
        ("token", "password", ""),
        ("key", "password", ""),
    ]
    assert 'OPENAI_KEY = form["OPENAI_KEY"]' in text
    assert 'def again(key=form["key"])' in text
    result, found = annotated(f'x = "{aws}"\ny = """\n{other}"""')
    assert codes_of(found) == ["PP140", "PP140"]
    assert (found[0].span.column, found[0].span.end_column) == (6, 26)
    assert (found[1].span.line, found[1].span.column) == (3, 1)
    assert not any(key in repr(result) for key in KEYS.values())


def test_a_parameter_that_was_a_key_is_a_password() -> None:
    plan = plan_of(
        code(f'api_key = "{KEYS["AWS"]}" #@param {{type:"string"}}\nn = 3', tags=["parameters"])
    )
    assert [(f.name, f.type) for f in only_step(plan).fields] == [
        ("api_key", "password"),
        ("n", "integer"),
    ]


def test_the_filler_is_known_by_its_length() -> None:
    assert is_filler(filler(20))
    assert is_filler(filler(100))
    assert not is_filler("key-left-out-")
    assert not is_filler(f"{filler(20)}!")
    assert not is_filler(5)
