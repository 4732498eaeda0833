"""What is read on standard input, signed in DSSE envelopes with keys made for it; printed as JSON by kind of key.

By securesystemslib, the library that in-toto and TUF sign with: `{kind: {"key": PEM, "envelope": …}}`, and under `two`
an envelope with the signatures of two keys.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey


def _keys() -> dict[str, tuple[Any, str | None]]:
    """By name a private key, and the scheme where it is not the only one of such a key."""
    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    schemes = [f"{pad}-sha{size}" for pad in ("rsassa-pss", "rsa-pkcs1v15") for size in (256, 384, 512)]
    return {
        "Ed25519": (ed25519.Ed25519PrivateKey.generate(), None),
        **{name: (ec.generate_private_key(curve), None) for name, curve in curves.items()},
        **{scheme: (key, scheme) for scheme in schemes},
    }


def _envelope(payload: bytes, *keys: tuple[Any, str | None]) -> Any:
    sealed = Envelope(payload, "application/vnd.in-toto+json", {})
    signers = [CryptoSigner(key, SSlibKey.from_crypto(key.public_key(), scheme=scheme)) for key, scheme in keys]
    for signer in signers:
        sealed.sign(signer)
    sealed.verify([signer.public_key for signer in signers], len(signers))
    return sealed.to_dict()


def _pem(key: Any) -> str:
    raw: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return raw.decode()


def main() -> None:
    payload, keys = sys.stdin.buffer.read(), _keys()
    said = {name: {"key": _pem(key[0]), "envelope": _envelope(payload, key)} for name, key in keys.items()}
    two = {"key": "", "envelope": _envelope(payload, keys["Ed25519"], keys["P-384"])}
    print(json.dumps({**said, "two": two}))


if __name__ == "__main__":
    main()
