"""Where imagery lies: a folder of this installation, or an S3 store. Keys look like paths and are made by us only.

``place`` moves a finished file in, whole or not at all. GDAL reads either kind by ``source`` without a copy; boto3 is
imported where it is used, so no web worker ever loads it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

_KEY = re.compile(r"[a-z0-9][a-z0-9_./-]{0,180}")


class Store(Protocol):
    """A place for files by key."""

    def place(self, file: Path, key: str) -> None:
        """Move a local file in under ``key``; an older one is replaced in one step."""

    def source(self, key: str) -> str:
        """What GDAL opens."""

    def gdal_environment(self) -> dict[str, str]:
        """Options with which GDAL opens ``source``."""

    def has(self, key: str) -> bool:
        """True if there is such a file."""

    def read(self, key: str) -> bytes:
        """A small file's bytes; KeyError if there is none."""

    def local(self, key: str) -> Any:
        """A context manager: the file under a local path, fetched if it lies elsewhere; KeyError if there is none."""

    def drop(self, prefix: str) -> None:
        """Remove everything under a folder."""


class Folder:
    """Files below a folder of this machine (or of one that all machines see under the same path)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """Where the file lies."""
        return self.root / checked(key)

    def place(self, file: Path, key: str) -> None:
        """Moved by a rename; from another disk copied beside it first, so that no half file ever has the name."""
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.move(file, beside)
        with open(beside, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(beside, target)

    def source(self, key: str) -> str:
        """The path itself."""
        return str(self.path(key))

    def gdal_environment(self) -> dict[str, str]:
        """None: a path is a path."""
        return {}

    def has(self, key: str) -> bool:
        """By its name."""
        return self.path(key).is_file()

    def read(self, key: str) -> bytes:
        """The bytes."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """The file where it is."""
        if not self.has(key):
            raise KeyError(key)
        yield self.path(key)

    def drop(self, prefix: str) -> None:
        """The folder and what is in it."""
        shutil.rmtree(self.path(prefix), ignore_errors=True)


class Bucket:
    """Files of an S3 store (AWS, MinIO, OSS in its S3 dress). ``style``: "path", or "virtual" where the bucket is a host."""

    def __init__(
        self, bucket: str, *, endpoint: str, key_id: str, secret: str, region: str, scratch: Path, style: str = "path"
    ) -> None:
        self.bucket, self.endpoint, self.scratch, self.style = bucket, endpoint, scratch, style
        self._login = {
            "aws_access_key_id": key_id or None,
            "aws_secret_access_key": secret or None,
            "region_name": region or None,
        }

    @property
    def client(self) -> Any:
        """boto3's client; one a call, since clients are not shared between threads here. Checksums only where S3 asks for
        them: stores that only speak like it do not know the newer ones."""
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"max_attempts": 5, "mode": "standard"}, connect_timeout=10, read_timeout=60,
            s3={"addressing_style": self.style}, request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )  # fmt: skip
        return boto3.client("s3", endpoint_url=self.endpoint or None, config=config, **self._login)

    def place(self, file: Path, key: str) -> None:
        """Uploaded in parts; the object appears when its last part is there. Then the local file is removed."""
        self.client.upload_file(str(file), self.bucket, checked(key))
        file.unlink()

    def source(self, key: str) -> str:
        """GDAL's own S3 reader: ranges only, no copy. ``gdal_environment`` tells it the login."""
        return f"/vsis3/{self.bucket}/{checked(key)}"

    def gdal_environment(self) -> dict[str, str]:
        """The login and the address, as GDAL reads them."""
        found = {
            "AWS_ACCESS_KEY_ID": self._login["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self._login["aws_secret_access_key"],
            "AWS_REGION": self._login["region_name"],
            "AWS_VIRTUAL_HOSTING": "TRUE" if self.style == "virtual" else "FALSE",
        }
        if self.endpoint:
            scheme, _sep, host = self.endpoint.partition("://")
            found |= {"AWS_S3_ENDPOINT": host, "AWS_HTTPS": "YES" if scheme == "https" else "NO"}
        return {name: value for name, value in found.items() if value}

    def has(self, key: str) -> bool:
        """Asked of the store."""
        try:
            with _missing_is_key_error(key):
                self.client.head_object(Bucket=self.bucket, Key=checked(key))
        except KeyError:
            return False
        return True

    def read(self, key: str) -> bytes:
        """The object's bytes."""
        with _missing_is_key_error(key):
            body: bytes = self.client.get_object(Bucket=self.bucket, Key=checked(key))["Body"].read()
        return body

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """Fetched once into the scratch folder and kept there a while: a comparison reads each file many times."""
        kept = self.scratch / checked(key)
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            coming = kept.with_name(f".{kept.name}.{os.getpid()}")
            with _missing_is_key_error(key):
                self.client.download_file(self.bucket, key, str(coming))
            os.replace(coming, kept)
        os.utime(kept)
        yield kept

    def drop(self, prefix: str) -> None:
        """Every object under the folder, one by one: the request for many is not spoken alike by all stores."""
        client = self.client
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=checked(prefix).rstrip("/") + "/")
        for page in pages:
            for one in page.get("Contents", []):
                client.delete_object(Bucket=self.bucket, Key=one["Key"])
        shutil.rmtree(self.scratch / prefix, ignore_errors=True)


@contextmanager
def _missing_is_key_error(key: str) -> Iterator[None]:
    """The store's word for an object that is not there, in ours; any other fault (a lost connection, no right) stays one."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as fault:
        if str(fault.response.get("Error", {}).get("Code")) in ("404", "NoSuchKey", "NotFound"):
            raise KeyError(key) from None
        raise


def sweep_scratch(folder: Path, *, before: float) -> int:
    """Remove fetched copies that nobody used since ``before`` (seconds of the epoch), and halves; how many went."""
    old = [file for file in folder.rglob("*") if file.is_file() and file.stat().st_mtime < before]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def checked(key: str) -> str:
    """The key, if it is one of ours: it can lead nowhere else."""
    if not _KEY.fullmatch(key) or ".." in key or "//" in key:
        raise ValueError(f"no key of ours: {key!r}")
    return key


def store_of(told: Mapping[str, Any]) -> Store:
    """The store that ``described`` describes: how a child process, which has no settings, gets hold of it."""
    if told["kind"] == "s3":
        words = {name: told[name] for name in ("endpoint", "key_id", "secret", "region", "style")}
        return Bucket(told["bucket"], scratch=Path(told["scratch"]), **words)
    return Folder(Path(told["root"]))


def image_key(street_id: int, asset_id: int) -> str:
    """The COG of an asset."""
    return f"{street_id}/{asset_id}/image.tif"


def item_key(street_id: int, asset_id: int) -> str:
    """Its STAC item."""
    return f"{street_id}/{asset_id}/item.json"


def original_key(street_id: int, asset_id: int) -> str:
    """The photo as it came, for a server that makes a mosaic of it."""
    return f"{street_id}/{asset_id}/original.jpg"


def export_key(export_id: int, form: str) -> str:
    """A file of what was found."""
    return f"exports/{export_id}/found.{form}"
