"""No password or token is shown or logged, however it is spelled."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blender_recon3d.engine_setup.redaction import redact

ROOT = Path(__file__).resolve().parents[2]
# Secrets consist of capitals and digits, the text around them of small letters, so that any remaining piece is seen.
PARTS = st.text("ABCXYZ0123456789", min_size=1, max_size=6)
SIGNS = st.sampled_from(
    ["/", "@", "%", ":", "?", "#", "&", "=", "%40", "%2F", "\\", "'", '"', "!", "$", "://", "-", ",", "é"]
)
SECRET = st.builds(
    lambda first, rest: first + "".join(sign + part for sign, part in rest),
    PARTS,
    st.lists(st.tuples(SIGNS, PARTS), max_size=4),
)
URL_WORDS = (
    "https://me:{}@corp/simple", "http://{}@corp:port/simple", "proxy=me:{}@proxy:port", "me:{}@proxy", ":{}@proxy",
    "'https://me:{}@corp/simple/'", "git+https://me:{}@corp/x", "socks://me:{}@corp", "(from https://u:{}@corp/a.whl)",
    "--index-url=https://me:{}@corp/simple", "https://corp/simple?{}", "https://corp/simple?token={}",
    "https://corp/simple?a=b&sig={}", "https_proxy=http://me:{}@proxy",
)  # fmt: skip
OTHER_WORDS = (
    "Authorization: Basic {}", "'authorization': 'Bearer {}'", "proxy-authorization: Digest username={}, response={}",
    "X-JFrog-Art-Api: {}", "private-token: {}", "uv_index_corp_password={}", '"password": "{}"', "api_key={}",
    "machine corp login me password {}", "default login me password {}", "login {} password {}", "  password {}",
)  # fmt: skip


@given(
    SECRET,
    st.sampled_from(URL_WORDS),
    st.sampled_from(["{}", "error: cannot reach {} now", "{}\n{} next", "a, {}"]),
)
@example("P/A@B%C", "https://me:{}@corp/simple", "{}")
@example("P/A@B", "me:{}@proxy", "{}")
@example("A://0", "proxy=me:{}@proxy:port", "{}")
def test_no_piece_of_a_secret_in_an_address_is_left(secret, word, around):
    shown = redact(around.replace("{}", word.replace("{}", secret)))
    assert not set(secret) & set("ABCXYZ0123456789") & set(shown), shown


@given(SECRET.filter(lambda text: "'" not in text and '"' not in text), st.sampled_from(OTHER_WORDS))
def test_no_piece_of_a_secret_in_a_header_or_setting_is_left(secret, word):
    shown = redact(f"before\n{word.replace('{}', secret)}\nafter")
    left = shown.replace("X-JFrog-Art-Api", "")
    assert not set(secret) & set("CXYZ0123456789") & set(left.replace("Basic", "").replace("Bearer", "")), (
        shown
    )
    assert shown.startswith("before\n") and shown.endswith("\nafter")


@pytest.mark.parametrize(
    "text",
    [
        "Downloading https://files.pythonhosted.org/torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (191.8 MB)",
        "The proxy refuses the connection or cannot be reached: check its address, user name and password (the "
        "preference Proxy, or HTTPS_PROXY).",
        r"C:\Users\me@corp.com\engine cannot be written",
        "write to someone@example.org",
        "/home/a/engine has files in it: choose another folder.",
        "The index requires a user name and password, or refuses this machine: put them into its URL, .netrc or "
        "pip.conf.",
        "From https://corp/simple/#sha256=0123456789abcdef",
    ],
)
def test_the_rest_stays_readable(text):
    assert redact(text) == text


def test_the_host_stays_readable():
    assert redact("https://me:p/w@x@corp/simple") == "https://***@corp/simple"
    assert redact("HTTPS_PROXY=me:pw@proxy:3128") == "HTTPS_PROXY=***@proxy:3128"


@pytest.mark.parametrize(
    "text", ['"a:" * 200_000', '"://" * 100_000 + "@"', '"machine x " * 20_000', '"token" * 50_000']
)
def test_long_lines_take_no_time(text):
    """Output of servers is redacted too. A backtracking pattern would take minutes, and time out."""
    code = f"from blender_recon3d.engine_setup.redaction import redact; redact({text})"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT)
