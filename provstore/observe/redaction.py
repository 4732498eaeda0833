"""Secrets out of JSON values, before anything is sent or kept: `redact` gives the value without them and tells where.

A secret is known by its name (`password`, `api_key`, `AWS_SECRET_ACCESS_KEY`, `--token`; not `max_tokens`,
`pad_token`, `tokenizer`) or by its own form, wherever it stands in a text: credentials in a URL, private key blocks,
JSON Web Tokens, the keys of well-known services, `name=value` and `"name": "value"` with a secret's name. What signs
an address for a while is cut from it, so that the address is what it was without. A secret that has neither name nor
form, such as a password in a sentence, is not found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

REDACTED: Final = "[redacted]"

# --- names ---------------------------------------------------------------------------------------------------------


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = _set(
    "password passwords passwd passphrase pwd pgpass secret secrets credential credentials apikey apikeys accesskey"
    " secretkey privatekey accountkey authtoken accesstoken authorization connstr dsn jwt"
)
_SECRET_ENDS = ("password", "passwords", "passwd", "passphrase", "apikey")  # PGPASSWORD, dbpassword
#: Before or after a secret's name, these make it speak of a secret without being one.
_COUNTED = _set("count num n max min len has is")
_ABOUT = _set(
    "count counts length len limit limits size policy required enabled type types usage rate expiry expires ttl hint"
    " strength"
)
#: A key after one of these is no key of a mapping or of a table.
_OF_KEY = _set(
    "api access private secret account encryption signing master ssh shared storage subscription auth deploy"
)
#: A token right after one of these is a piece of text: `pad_token`, `per_token`.
_OF_TEXT = _set(
    "pad eos bos unk sep cls mask special start end begin stop per next prev image audio video prefix suffix"
    " middle word input output prompt completion cached reasoning decoder separator"
)
_OF_PASS = _set("db user admin root mysql pg postgres smtp ftp http proxy auth redis mail login")
#: After these a text in quotes is one in SQL (`CREATE USER u PASSWORD '…'`); after `token` it is what a parser found.
_OF_SQL = _set("password passwd secret")
_OF_TOKENS = _set("access auth api refresh bearer secret session")


@lru_cache(maxsize=4096)
def secret_name(name: str) -> bool:
    """Whether what bears this name is a secret; words are told apart by case and by every sign but a letter."""
    words = [word.lower() for word in _WORDS.findall(name[-256:])]
    if not words or words[0] in _COUNTED or words[-1] in _ABOUT:
        return False
    pairs = set(pairwise(words))
    return (
        not _SECRET_WORDS.isdisjoint(words)
        or any(word.endswith(_SECRET_ENDS) for word in words)
        or any(second in ("key", "keys") and first in _OF_KEY for first, second in pairs)
        or ("connection", "string") in pairs
        or ("conn", "str") in pairs
        or (words[-1] == "token" and (len(words) == 1 or words[-2] not in _OF_TEXT))
        or (words[-1] == "tokens" and not _OF_TOKENS.isdisjoint(words))
        or (words[-1] == "pass" and not _OF_PASS.isdisjoint(words))
        or (("x", "amz") in pairs and words[-1] == "signature")
    )


# --- texts ---------------------------------------------------------------------------------------------------------

# Each pattern is bounded, or begins where no other attempt of it can, so that no text takes more than one pass.
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_USERINFO = re.compile(
    r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]{0,30})://"
    r"(?P<user>[^\s/?#:@\"'<>]{0,256}(?::(?!\d{1,5}(?:[/?#]|$))[^\s@\"'<>]{0,256}(?:@[^\s/?#@\"'<>]{0,256}(?=@)){0,8})?)@"
)
#: In these the part before `@` alone is a user or a token; elsewhere (`abfss://container@account`) it is a place.
_WEB = _set("http https ftp ftps git+https git+http")
_FORMS = (
    re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,}\.eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*"),  # JSON Web Token
    re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"),  # Amazon
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,255}\b"),  # GitHub
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{30,255}\b"),
    re.compile(r"\bglpat-[A-Za-z0-9_-]{20,64}"),  # GitLab
    re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}"),  # Slack
    re.compile(r"\bAIza[A-Za-z0-9_-]{35}"),  # Google
    re.compile(r"\bya29\.[A-Za-z0-9_-]{20,250}"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,250}"),  # OpenAI, Anthropic
    re.compile(r"\bhf_[A-Za-z0-9]{30,64}\b"),  # Hugging Face
    re.compile(r"\bdapi[0-9a-f]{32}\b"),  # Databricks
    re.compile(r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}\b"),  # Stripe
    re.compile(r"\bpypi-[A-Za-z0-9_-]{50,250}"),  # PyPI
)
#: How each of these begins, looked for once before all of them are.
_BEGINS = re.compile(r"eyJ|AKIA|ASIA|AROA|AIDA|gh[pousr]_|github_pat_|glpat-|xox|AIza|ya29|sk-|hf_|dapi|[sr]k_|pypi-")
#: A digest in hexadecimal digits holds no secret, and there are many of them.
_DIGEST = re.compile(r"[0-9a-f]{32}(?:[0-9a-f]{32})?\Z")
_BEARER = re.compile(r"\b((?:bearer|basic|token)\s{1,4})(?=[^\s\"',]{0,512}\d)[A-Za-z0-9._~+/-]{16,4096}=*", re.I)
_HINT = re.compile(r"pass|pwd|secret|credential|key|token|dsn|conn|auth|jwt|sig", re.I)
#: `curl -u user:password`; two numbers are ids of a user and a group.
_LOGIN = re.compile(
    r"(\bcurl\b[^|&;\n]{0,200}?\s(?:-u\s{0,4}|--(?:proxy-)?user[ =]\s{0,4})[\"']?)"
    r"(?!\d+:\d+\b|\[redacted\])[^\s:\"'/]{1,256}:[^\s\"']+"
)
_IDENTIFIED = re.compile(r"(\bidentified\s{1,4}(?:with\s{1,4}\w{1,64}\s{1,4})?by\s{1,4}')[^']+", re.I)
_QUERY = re.compile(r"\?([^\s?#\"'<>\\]*)")
_SIGNATURE = re.compile(r"(?:^|&)(?:amp;)?(?:x-(?:amz|goog)-signature|signature|sig)=", re.I)
#: What belongs to a signature in a query: Amazon's, Google's, CloudFront's, and Azure's (shared access signatures).
_SIGNING = re.compile(
    r"(?:amp;)?(?:x-(?:amz|goog)-[^=]*|awsaccesskeyid|googleaccessid|expires|policy|key-pair-id|signature"
    r"|s[vterps]|sig|spr|sip|srt|sdd|skoid|sktid|skt|ske|sks|skv|saoid|suoid|scid|ses)=.*",
    re.I | re.DOTALL,
)
_NAME = re.compile(
    r"(?<![\w.-])(?P<flag>-{0,2})(?=[\w.-]{0,127}?(?i:pass|pwd|secret|credential|key|token|dsn|conn|auth|jwt|sig))"
    r"(?P<name>[A-Za-z_][\w.-]{0,127})(?P<close>\\{0,3}[\"'])?"
    r"(?P<is>\s{0,4}(?:=>|:)\s{0,4}|=|\s{1,4}=\s{1,4}|\s{1,4})"
)
_QUOTE = re.compile(r"\\{0,3}[\"']")
_BARE = re.compile(r"(?:(?:bearer|basic|token)\s{1,4})?(?:\[redacted\]|[^\s,;&})\"']+)", re.I)
#: Values that give nothing away: none at all, and a variable to be filled in.
_HARMLESS = re.compile(r"none|null|true|false|\$\{.*|\{\{?.*|\[redacted\].*|//.*", re.I | re.DOTALL)


#: Each secret's name or form holds one of these, in lower case.
_MARKS = _set(
    "pass pwd secret credential key token auth conn dsn jwt sig bearer basic @ eyj akia asia aroa aida ghp_ gho_ ghu_"
    " ghs_ ghr_ github_pat_ glpat- xox aiza ya29 sk- sk_ rk_ hf_ dapi pypi- curl identified"
)


def suspicious(text: str) -> bool:
    """Whether a text, such as that of a whole payload, may hold a secret: False only where there is nothing to redact.

    Takes microseconds, to spare most payloads the search for what is not in them.
    """
    low = text.lower() if text.isascii() else text.casefold()
    return any(mark in low for mark in _MARKS)


#: Short texts in which there was nothing, since most payloads repeat those of others; none that held a secret.
_CLEAN: Final[set[str]] = set()


def scrub(text: str) -> str:
    """The text with every secret that its own form, or the name before it, gives away replaced by `[redacted]`.

    The parameters by which an address is signed go without a trace.
    """
    if len(text) < 8 or text in _CLEAN or _DIGEST.match(text):
        return text
    out = _pass(text)
    if out == text and len(text) <= 200:
        if len(_CLEAN) >= 4096:
            _CLEAN.clear()
        _CLEAN.add(text)
    while out != text:  # what one pass takes away may lay bare the beginning of the next secret
        text, out = out, _pass(out)
    return out


def _pass(text: str) -> str:
    out = _PEM.sub(REDACTED, text) if "PRIVATE KEY" in text else text
    out = _USERINFO.sub(_userinfo, out) if "://" in out and "@" in out else out
    if "?" in out and "=" in out:
        out = _QUERY.sub(_unsigned, out)
    if "'" in out:
        out = _IDENTIFIED.sub(rf"\g<1>{REDACTED}", out)
    if "curl" in out:
        out = _LOGIN.sub(rf"\g<1>{REDACTED}", out)
    if _BEGINS.search(out):
        for form in _FORMS:
            out = form.sub(REDACTED, out)
    return _BEARER.sub(rf"\g<1>{REDACTED}", _pairs(out))


def _userinfo(match: re.Match[str]) -> str:
    scheme, user = match["scheme"], match["user"]
    if not user or user == REDACTED or (":" not in user and scheme.lower() not in _WEB):
        return match[0]
    return f"{scheme}://{REDACTED}@"


def _unsigned(match: re.Match[str]) -> str:
    if not _SIGNATURE.search(match[1]):
        return match[0]
    kept = "&".join(part for part in match[1].split("&") if part and not _SIGNING.fullmatch(part))
    return f"?{kept}" if kept else ""


def _pairs(text: str) -> str:
    """Every value after a secret's name: `name=…`, `name: …`, `"name": "…"`, `--name …`, `…?name=…&`."""
    if not _HINT.search(text):
        return text
    out, done = [], 0
    at = _NAME.search(text)
    while at:
        end = at.end()
        if secret_name(at["name"]) or (at["name"] == "sig" and text[at.start() - 1 : at.start()] in ("?", "&")):
            begin, end = _value(text, at)
            if end > begin:
                out += [text[done:begin], REDACTED]
                done = end
        at = _NAME.search(text, max(end, at.end()))
    return "".join([*out, text[done:]]) if out else text


def _value(text: str, name: re.Match[str]) -> tuple[int, int]:
    """From where to where the value after a name goes; nowhere if there is none, or it gives nothing away."""
    at, between = name.end(), name["is"]
    quote = _QUOTE.match(text, at)
    if quote and between.strip():
        begin = quote.end()
        end = _closing(text, quote[0], begin)
        return (begin, begin) if _HARMLESS.fullmatch(text, begin, end) else (begin, end)
    if quote and quote[0] == "'" and (name["name"].isupper() or name["name"].lower() in _OF_SQL):
        return quote.end(), _closing(text, "'", quote.end())  # PASSWORD '…', SECRET_ACCESS_KEY '…'
    # `a.token = b.token` compares two columns, `the token of` is prose
    if between.isspace() and not (name["flag"] and text[at : at + 1] != "-"):
        return at, at
    if between.strip() == "=" and between != "=":
        return at, at
    bare = _BARE.match(text, at)
    return (at, at) if bare is None or _HARMLESS.fullmatch(bare[0]) else (at, bare.end())


def _closing(text: str, quote: str, at: int) -> int:
    """Where a quoted value ends: before its closing quote, or, where there is none, with the text."""
    while (end := text.find(quote, at)) >= 0:
        first = end
        while len(quote) == 1 and first > at and text[first - 1] == "\\":
            first -= 1
        if (end - first) % 2 == 0:
            return end
        at = end + 1
    return len(text)


# --- values --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Redacted:
    """A JSON value without its secrets, and the JSON pointers (RFC 6901) of the strings that were changed, sorted."""

    value: Any
    pointers: tuple[str, ...]


def redact(value: Any) -> Redacted:
    """The value with what is secret replaced by `[redacted]`, keys and everything else as they were.

    Under a secret's name every string and number goes; elsewhere secrets inside strings do. Three shapes are known
    besides the member of an object: `{"key": "password", "value": …}` (also `name`), and, in a list of words as
    `argv`, the word after `--password`. The value is not changed in place. Redacting again changes nothing.
    """
    found: list[str] = []
    clean = _walk(value, False, found)
    return Redacted(clean, tuple(sorted(found)))


def cleaned(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload without its secrets; if there were any, its member `redacted` lists the pointers of where."""
    told = payload.get("redacted")
    found = redact({key: value for key, value in payload.items() if key != "redacted"})
    before = [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
    every = sorted({*before, *found.pointers})
    return {**found.value, "redacted": every} if every else dict(found.value)


def _walk(value: Any, secret: bool, found: list[str], above: str = "") -> Any:
    """The value, a member of the name `above`, without its secrets; where they were is added to `found`."""
    if isinstance(value, str):
        new = (REDACTED if value else value) if secret else scrub(value)
        if new != value:
            found.append("")
        return new
    if isinstance(value, dict):
        return _object(value, secret, found, above in _COLUMNS)
    if isinstance(value, (list, tuple)):
        return _list(value, secret, found)
    if secret and isinstance(value, (int, float)) and not isinstance(value, bool):
        found.append("")
        return REDACTED
    return value


_NAMED: Final = ("key", "name")
#: Members of these are columns: what is said of one called `password` is no secret.
_COLUMNS: Final = _set("fields columns columnMetrics column_metrics properties")


def _object(value: dict[str, Any], secret: bool, found: list[str], columns: bool) -> dict[str, Any]:
    named_secret = "value" in value and any(isinstance(n := value.get(m), str) and secret_name(n) for m in _NAMED)
    out: dict[str, Any] = {}
    for key, each in value.items():
        name = scrub(key) if isinstance(key, str) else key
        while name in out:
            name = f"{name}'"
        begun = len(found)
        if name != key:
            found.append("")
        named = secret_name(str(key)) and not (columns and isinstance(each, dict))
        hidden = secret or named or (named_secret and key == "value")
        out[name] = _walk(each, hidden, found, key)
        _below(found, begun, name)
    return out


def _list(value: list[Any] | tuple[Any, ...], secret: bool, found: list[str]) -> list[Any]:
    out, after = [], False
    for index, each in enumerate(value):
        word = isinstance(each, str)
        hidden = secret or (after and word and not each.startswith("-"))
        begun = len(found)
        out.append(_walk(each, hidden, found))
        _below(found, begun, index)
        after = word and each.startswith("-") and "=" not in each and secret_name(each)
    return out


def _below(found: list[str], begun: int, name: Any) -> None:
    """Let the pointers from `begun` on begin with the name of a member or the index of an element."""
    if len(found) > begun:
        step = str(name).replace("~", "~0").replace("/", "~1")
        found[begun:] = [f"/{step}{pointer}" for pointer in found[begun:]]
