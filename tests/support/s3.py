"""An S3 store on this machine for the time of a test: moto's server, which is not ours, and what was asked of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

KEY_ID, SECRET = "AKIAJIEQUTEST0001", "jiequ-Secret-that-nobody-prints"
BUCKET = "imagery"
NAMES = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_RANGE")


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: str
    range: str


@dataclass
class Store:
    """Its address, and each request that it was sent."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None

    def settings(self, settings: Any) -> None:
        """This installation keeps its imagery here."""
        settings.SENSE_S3_BUCKET, settings.SENSE_S3_ENDPOINT = BUCKET, self.url
        settings.SENSE_S3_KEY_ID, settings.SENSE_S3_SECRET, settings.SENSE_S3_REGION = KEY_ID, SECRET, "us-east-1"


@contextmanager
def s3_store() -> Iterator[Store]:
    """A store with an empty bucket."""
    from moto.backends import get_backend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app, told = DomainDispatcherApplication(create_backend_app), Store("")

    def listening(environ: Any, start: Any) -> Any:
        told.asked.append(Asked(*(environ.get(name, "") for name in NAMES)))
        return app(environ, start)

    server = make_server("127.0.0.1", 0, listening, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    told.url, told.stop = f"http://127.0.0.1:{server.server_port}", stop
    try:
        _bucket(told.url)
        yield told
    finally:
        if thread.is_alive():
            stop()
        get_backend("s3").reset()


def _bucket(url: str) -> None:
    import boto3

    login = {"aws_access_key_id": KEY_ID, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=url, **login).create_bucket(Bucket=BUCKET)
