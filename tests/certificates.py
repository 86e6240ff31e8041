"""A self-signed certificate, made from nothing but Python: for servers in tests that nobody has to trust.

An RSA key of 2,048 bits, and the few fields that X.509 asks for, written in DER by hand.
"""

from __future__ import annotations

import ssl
from base64 import encodebytes
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import gcd
from pathlib import Path
from random import Random

__all__ = ["self_signed"]

_RSA, _SHA256_RSA = bytes.fromhex("06092a864886f70d010101"), bytes.fromhex("06092a864886f70d01010b")
_SHA256, _COMMON_NAME, _OTHER_NAMES = (
    bytes.fromhex(oid) for oid in ("0609608648016503040201", "0603550403", "0603551d11")
)
_NULL = b"\x05\x00"


def self_signed(folder: Path, address: bytes = b"\x7f\x00\x00\x01") -> tuple[ssl.SSLContext, Path]:
    """What shows a certificate of that IP address, and the file that whoever is to trust it needs."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    n, private = _key(Random())
    certificate.write_text(_pem("CERTIFICATE", _certificate(n, private["d"], address)))
    key.write_text(_pem("RSA PRIVATE KEY", _sequence(*map(_integer, (0, n, 65537, *private.values())))))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


def _key(numbers: Random) -> tuple[int, dict[str, int]]:
    """The modulus, and the rest of the key as PKCS #1 orders it."""
    p, q = _prime(numbers), _prime(numbers)
    d = pow(65537, -1, (p - 1) * (q - 1))
    return p * q, {"d": d, "p": p, "q": q, "dp": d % (p - 1), "dq": d % (q - 1), "qi": pow(q, -1, p)}


def _prime(numbers: Random, bits: int = 1024) -> int:
    while True:
        found = numbers.getrandbits(bits) | 3 << bits - 2 | 1
        if gcd(found - 1, 65537) == 1 and all(pow(base, found - 1, found) == 1 for base in (2, 3, 5, 7)):
            return found


def _certificate(n: int, d: int, address: bytes) -> bytes:
    algorithm = _sequence(_SHA256_RSA, _NULL)
    name = _sequence(_tagged(0x31, _sequence(_COMMON_NAME, _tagged(0x0C, b"tests"))))
    now = datetime.now(UTC)
    valid = _sequence(*(_tagged(0x17, f"{now + timedelta(days):%y%m%d%H%M%SZ}".encode()) for days in (-2, 2)))
    public = _sequence(_sequence(_RSA, _NULL), _tagged(3, b"\0" + _sequence(_integer(n), _integer(65537))))
    names = _tagged(4, _sequence(_tagged(0x87, address)))
    added = _tagged(0xA3, _sequence(_sequence(_OTHER_NAMES, names)))
    version, serial = _tagged(0xA0, _integer(2)), _integer(1)
    to_be_signed = _sequence(version, serial, algorithm, name, valid, name, public, added)
    return _sequence(to_be_signed, algorithm, _tagged(3, b"\0" + _signature(to_be_signed, n, d)))


def _signature(message: bytes, n: int, d: int) -> bytes:
    size = (n.bit_length() + 7) // 8
    digest = _sequence(_sequence(_SHA256, _NULL), _tagged(4, sha256(message).digest()))
    padded = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
    return pow(int.from_bytes(padded, "big"), d, n).to_bytes(size, "big")


def _tagged(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 128 + size]) + length.to_bytes(size, "big") + content


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _integer(number: int) -> bytes:
    return _tagged(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _pem(kind: str, content: bytes) -> str:
    return f"-----BEGIN {kind}-----\n{encodebytes(content).decode()}-----END {kind}-----\n"
