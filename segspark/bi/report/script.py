"""The page's one script: Vega, which vl-convert carries, and what draws the charts with it; and the page's policy."""

import base64
import hashlib
from functools import lru_cache
from importlib import resources

import vl_convert
from markupsafe import Markup

POLICY = (
    "default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


@lru_cache(maxsize=1)
def page_script() -> Markup:
    """The script's text, the same each time; made without any network."""
    own = resources.files("segspark.bi.report").joinpath("live.js").read_text("utf-8")
    text = vl_convert.javascript_bundle(own)
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError("the script cannot stand inside a page: it holds what ends or hides a script element")
    return Markup(text)


def policy(script: str) -> str:
    """Content-Security-Policy under which nothing is fetched, and no script runs but this one."""
    return POLICY.format(digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode())
