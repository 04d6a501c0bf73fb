"""Every setting, read from the environment in one place.

It stands in the lowest package because server, workers and migrations alike are told by it where things are kept
(docs/decisions/0004). A value that cannot be used stops the start with one sentence that names its variable.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadSettings(Exception):
    """The environment holds values that cannot be used; `str()` is the sentence to print."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="IMPRIMATUR_", extra="ignore", frozen=True)

    data_dir: Path = Field(Path("./data"), description="Folder for everything kept on this machine.")
    database_url: str = Field("", description="Database; empty: a SQLite file in the data dir.")
    blob_url: str = Field(
        "file:",
        description="Blob store: file: (in the data dir), file:///DIR, or s3://KEY:SECRET@HOST:PORT/BUCKET?secure=false.",
    )
    host: str = Field("127.0.0.1", description="Address the server binds to.")
    port: int = Field(8000, ge=0, le=65535, description="Port the server binds to; 0 lets the system choose.")
    public_url: str = Field("", description="Address that clients see; empty: made from host and port.")
    workers: int = Field(
        default_factory=lambda: max(1, os.cpu_count() or 1),
        ge=0,
        le=256,
        description="Worker processes beside the server; 0: none.",
    )
    admin_token: str = Field(
        "",
        description="The first administrator's token; empty: one is made, printed once and kept in the data dir.",
    )
    secret_key: str = Field(
        "",
        description="Key that signs file addresses and cursors; empty: one is made and kept in the data dir.",
    )
    oidc_issuer: str = Field("", description="OpenID Connect provider that people sign in with; empty: none.")
    oidc_client_id: str = Field("", description="What the provider knows this hub as.")
    oidc_client_secret: str = Field("", description="The hub's secret at the provider; empty: a public client.")
    oidc_scopes: str = Field("openid email profile", description="What the provider is asked for.")
    oidc_newcomers: Literal["refuse", "viewer"] = Field(
        "refuse",
        description="Strangers from the provider: refuse (only who was invited or is known by verified e-mail enters), "
        "or viewer (they enter as viewers of the brand).",
    )
    jwt_issuer: str = Field("", description="Issuer whose signed tokens (JWT) programs may show; empty: none.")
    jwt_audience: str = Field("", description="Audience that such tokens must be for.")
    jwt_jwks_url: str = Field("", description="The issuer's public keys (JWKS); empty: found by discovery.")
    password_login: Literal["auto", "off"] = Field(
        "auto",
        description="auto: people have passwords on the embedded SQLite while no OIDC provider is set; off: never.",
    )
    trusted_proxies: str = Field(
        "",
        description="Networks of reverse proxies whose X-Forwarded-For is believed, separated by commas; empty: none.",
    )
    token_budget: int = Field(
        600_000,
        ge=0,
        description="Cost per minute of what is asked with one token (a request costs 10, and 1 for each object it may "
        "answer), for each server process; 0: no limit.",
    )
    cost_limit: int = Field(100_000, ge=100, description="Most that one GraphQL operation may cost.")
    introspection: Literal["on", "off"] = Field(
        "on",
        description="on: clients may ask what the schema holds, and are helped with names; off: neither.",
    )
    stranger_rate: int = Field(
        120,
        ge=0,
        description="Requests per minute from one address that show no valid sign-in, for each server process; "
        "0: no limit.",
    )
    outside_networks: str = Field(
        "",
        description="Networks that are not public and that webhooks reach all the same, separated by commas; "
        "empty: none.",
    )
    outside_http: bool = Field(False, description="Whether webhooks are sent to http: addresses, too.")
    import_networks: str = Field(
        "",
        description="Networks that are not public and that files are fetched from all the same when somebody imports "
        "an address, separated by commas; empty: none.",
    )
    import_http: bool = Field(False, description="Whether files are fetched from http: addresses, too.")
    import_seconds: int = Field(600, ge=1, le=86_400, description="Seconds that fetching one file may take.")
    import_buckets: str = Field(
        "",
        description="Buckets that files may be imported from, as NAME=s3://KEY:SECRET@HOST:PORT/BUCKET?secure=true, "
        "separated by spaces; empty: none.",
    )
    hot_folder: str = Field(
        "",
        description="Folder whose files are taken in; what was taken moves to `done` in it, what was refused to "
        "`refused`; empty: none.",
    )
    hot_folder_seconds: int = Field(
        30, ge=1, le=3600, description="Seconds that a file in the hot folder must have rested before it is taken."
    )
    hot_folder_own_work: bool = Field(
        False, description="Whether what is taken from the hot folder is declared the brand's own work."
    )
    trusted_only: bool = Field(
        False,
        description="Whether nothing runs but registered documents: no other query, no introspection, no GraphiQL.",
    )
    automatic_persisted_queries: bool = Field(
        False,
        description="Whether each server process remembers documents that clients send once with their digest "
        "(Apollo's protocol).",
    )
    allowed_origins: str = Field(
        "",
        description="Origins whose pages may open WebSockets here, such as https://shop.example, separated by commas; "
        "empty: only our own.",
    )
    streams_at_once: int = Field(
        1_000,
        ge=0,
        description="WebSockets and event streams open at once, for each server process; 0: none are taken.",
    )
    streams_per_address: int = Field(100, ge=1, description="The same from one address.")
    streams_per_token: int = Field(50, ge=1, description="The same with one token.")
    send_seconds: int = Field(
        10,
        ge=1,
        le=600,
        description="Seconds that a client may keep us waiting with what it is told before it is dropped.",
    )
    search_backend: Literal["whoosh", "tantivy"] = Field(
        "whoosh", description="Search index: whoosh, or tantivy (extra `tantivy`)."
    )
    plans: bool = Field(
        True, description="Whether queries are answered by compiled plans where they can be; the answers are the same."
    )
    max_upload_bytes: int = Field(100 * 1024 * MEBIBYTE, ge=1, description="Largest file taken, in bytes.")
    max_pixels: int = Field(500_000_000, ge=1, description="Largest picture decoded, in pixels.")
    upload_days: int = Field(7, ge=1, le=365, description="Days an unfinished or unused upload is kept.")
    trash_days: int = Field(
        30, ge=1, le=3650, description="Days an asset lies in the trash before its bytes are purged."
    )
    url_hours: int = Field(1, ge=1, le=24 * 30, description="Hours that a signed file address lasts at most.")
    render_seconds: int = Field(300, ge=1, description="Wall-clock limit of one rendering job, in seconds.")
    rerenders_per_minute: int = Field(
        600,
        ge=0,
        description="Versions per minute that a changed preset is made anew of, so that uploads are not kept waiting; "
        "0: as fast as the workers can.",
    )
    render_memory_mb: int = Field(4096, ge=256, description="Address space of one rendering job, in MiB.")
    content_credentials: bool = Field(
        False,
        description="Whether renditions say in themselves which hub made them of what (C2PA; extra `provenance`).",
    )
    transform_cache_mb: int = Field(
        10_240,
        ge=1,
        description="Room for pictures made by address and for tiles, in MiB; the least recently used go first.",
    )
    reductions_mb: int = Field(
        1_024,
        ge=0,
        description="Room on this machine for decoded JPEGs, of which small pictures are made quickly, in MiB; the "
        "longest unused go first, the large before the small.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line printed."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else JSON lines."
    )

    @field_validator("oidc_issuer", "jwt_issuer", "jwt_jwks_url")
    @classmethod
    def _is_private_on_the_way(cls, value: str) -> str:
        if value and not is_safe_address(value):
            raise ValueError("it must be an https: address (http: only on this machine itself)")
        return value

    @field_validator("trusted_proxies", "outside_networks", "import_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        _networks(value)
        return value

    @field_validator("import_buckets")
    @classmethod
    def _are_buckets(cls, value: str) -> str:
        _named_buckets(value)
        return value

    @field_validator("hot_folder")
    @classmethod
    def _is_absolute(cls, value: str) -> str:
        if value and not Path(value).is_absolute():
            raise ValueError("it must be an absolute path")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for each in _listed(value):
            parts = urlsplit(each)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or "@" in each:
                raise ValueError("it must be origins such as https://shop.example, separated by commas")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("IMPRIMATUR_OIDC_ISSUER needs IMPRIMATUR_OIDC_CLIENT_ID beside it")
        if self.oidc_issuer and "openid" not in self.oidc_scopes.split():
            raise ValueError("IMPRIMATUR_OIDC_SCOPES must hold openid")
        if self.jwt_issuer and not self.jwt_audience:
            raise ValueError("IMPRIMATUR_JWT_ISSUER needs IMPRIMATUR_JWT_AUDIENCE beside it")
        if self.trusted_only and self.automatic_persisted_queries:
            raise ValueError("IMPRIMATUR_TRUSTED_ONLY leaves nothing to IMPRIMATUR_AUTOMATIC_PERSISTED_QUERIES")
        return self

    @model_validator(mode="after")
    def _complete(self) -> Self:
        fill = object.__setattr__  # the model is frozen for everyone after this
        fill(self, "data_dir", self.data_dir.expanduser().absolute())
        fill(self, "database_url", self.database_url or f"sqlite:///{self.data_dir / 'imprimatur.sqlite'}")
        fill(self, "public_url", (self.public_url or f"http://{_bracketed(self.host)}:{self.port}").rstrip("/"))
        return self

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        return _networks(self.trusted_proxies)

    @property
    def reachable_networks(self) -> tuple[Network, ...]:
        return _networks(self.outside_networks)

    @property
    def importable_networks(self) -> tuple[Network, ...]:
        return _networks(self.import_networks)

    @property
    def buckets(self) -> dict[str, str]:
        """By name the addresses of the buckets that files may be imported from."""
        return _named_buckets(self.import_buckets)

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(_listed(self.allowed_origins.lower()))

    @property
    def issuers(self) -> frozenset[str]:
        """All that are trusted to say who somebody is."""
        return frozenset({self.oidc_issuer, self.jwt_issuer} - {""})

    @property
    def takes_passwords(self) -> bool:
        """Only on the embedded default: whoever runs a database server has an identity provider, or shows tokens."""
        wanted = self.password_login != "off"  # noqa: S105  # a choice, not a password
        return wanted and self.database_url.startswith("sqlite") and not self.oidc_issuer

    @property
    def staging_dir(self) -> Path:
        return self.data_dir / "staging"

    @property
    def reductions_dir(self) -> Path:
        return self.data_dir / "reductions"

    @property
    def index_dir(self) -> Path:
        return self.data_dir / f"index-{self.search_backend}"


def load() -> Settings:
    """The settings of this process; raises `BadSettings`."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        said = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:  # several that do not fit together; the sentence names them
            raise BadSettings(f"{said}.") from None
        name = "IMPRIMATUR_" + "_".join(str(part) for part in first["loc"]).upper()
        raise BadSettings(f"{name} cannot be used: {said}.") from None


def is_safe_address(url: str) -> bool:
    """Whether nobody on the way can change what is fetched there: https, or http that stays on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or any(letter.isspace() for letter in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each) for each in _listed(text))
    except ValueError as error:
        raise ValueError(f"it must be networks such as 10.0.0.0/8, separated by commas ({error})") from None


def _named_buckets(text: str) -> dict[str, str]:
    found = dict(each.partition("=")[::2] for each in text.split())
    if not all(name.isidentifier() and url.startswith("s3://") for name, url in found.items()):
        raise ValueError("it must be NAME=s3://KEY:SECRET@HOST:PORT/BUCKET, several separated by spaces")
    return found


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
