"""Every setting, read from the environment in one place.

It stands in the lowest package because server, workers and migrations alike are told by it where things are kept
(docs/decisions/0004). A value that cannot be used stops the start with one sentence that names its variable.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024


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
    search_backend: Literal["whoosh", "tantivy"] = Field(
        "whoosh", description="Search index: whoosh, or tantivy (extra `tantivy`)."
    )
    max_upload_bytes: int = Field(100 * 1024 * MEBIBYTE, ge=1, description="Largest file taken, in bytes.")
    max_pixels: int = Field(500_000_000, ge=1, description="Largest picture decoded, in pixels.")
    upload_days: int = Field(7, ge=1, le=365, description="Days an unfinished or unused upload is kept.")
    url_hours: int = Field(24, ge=1, le=24 * 30, description="Hours a signed file address stays valid.")
    render_seconds: int = Field(300, ge=1, description="Wall-clock limit of one rendering job, in seconds.")
    render_memory_mb: int = Field(4096, ge=256, description="Address space of one rendering job, in MiB.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line printed."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else JSON lines."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        fill = object.__setattr__  # the model is frozen for everyone after this
        fill(self, "data_dir", self.data_dir.expanduser().absolute())
        fill(self, "database_url", self.database_url or f"sqlite:///{self.data_dir / 'imprimatur.sqlite'}")
        fill(self, "public_url", (self.public_url or f"http://{_bracketed(self.host)}:{self.port}").rstrip("/"))
        return self

    @property
    def staging_dir(self) -> Path:
        return self.data_dir / "staging"

    @property
    def index_dir(self) -> Path:
        return self.data_dir / f"index-{self.search_backend}"


def load() -> Settings:
    """The settings of this process; raises `BadSettings`."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "IMPRIMATUR_" + "_".join(str(part) for part in first["loc"]).upper()
        raise BadSettings(f"{name} cannot be used: {first['msg']}.") from None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
