"""The hub's own certificates: with these its renditions say, in content credentials (C2PA), who made them of what.

The same secret always gives the same keys and certificates, so that every worker of a hub signs alike and nothing has
to be kept. Whoever trusts the root can tell what the hub made; nobody else is asked to.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Of the curve P-256 (FIPS 186-4, D.1.2.3): keys are numbers from 1 below it.
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
#: Fixed, for what is computed anew everywhere must come out the same.
_BEGIN, _END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
_USES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Credentials:
    """All in PEM: `chain` is the certificate that signs (ES256) and then the `root`; `key` is the signing one's."""

    chain: str
    root: str
    key: str


@lru_cache(maxsize=4)
def of_hub(secret: bytes, public_url: str) -> Credentials:
    """In its certificates the hub is called by the host that it is reached by."""
    name = urlsplit(public_url).hostname or "hub"
    root_key, key = _key(secret, b"root"), _key(secret, b"renditions")
    root_name, own_name = _name(name, f"{name} root"), _name(name, name)
    root = _certificate(root_name, root_name, root_key, root_key, number=1)
    own = _certificate(own_name, root_name, key, root_key, number=2)
    secret_key = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Credentials(_pem(own) + _pem(root), _pem(root), secret_key.decode())


def _key(secret: bytes, purpose: bytes) -> ec.EllipticCurvePrivateKey:
    """From twice as many bits as the order has: no number is likelier than another by more than chance shows."""
    drawn = hmac.digest(secret, b"imprimatur content credentials: " + purpose, "sha512")
    return ec.derive_private_key(int.from_bytes(drawn, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    number: int,
) -> x509.Certificate:
    """As C2PA 2.1, 14.5.1, asks of who signs: version 3, one purpose, and both key identifiers."""
    is_root = key is issuer_key
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(number)
        .not_valid_before(_BEGIN)
        .not_valid_after(_END)
        .add_extension(x509.BasicConstraints(is_root, 0 if is_root else None), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign") if is_root else _usage("digital_signature"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_root:
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return built.sign(issuer_key, hashes.SHA256(), ecdsa_deterministic=True)


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in allowed for use in _USES})


def _name(organisation: str, common: str) -> x509.Name:
    """An X.509 name has room for 64 letters in each part."""
    parts = ((NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, text[:64]) for kind, text in parts])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
