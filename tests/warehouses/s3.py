"""S3 of its own for tests: moto's server on loopback, in a thread.

Stands under the tests of this folder.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

__all__ = ["SECRET", "Bucket", "served"]

SECRET = "s3cr3t_0f_th3_t3st"  # noqa: S105  # moto takes any
_SETTING = "DESTINATION__FILESYSTEM__CREDENTIALS__"


@dataclass(frozen=True)
class Bucket:
    """A bucket of a server on this machine."""

    endpoint: str
    name: str

    @property
    def url(self) -> str:
        """As dlt is told."""
        return f"s3://{self.name}/history"

    @property
    def settings(self) -> dict[str, str]:
        """Variables of dlt's configuration."""
        told = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": SECRET, "ENDPOINT_URL": self.endpoint}
        return {"DESTINATION__FILESYSTEM__BUCKET_URL": self.url} | {f"{_SETTING}{k}": v for k, v in told.items()}

    @property
    def files(self) -> Any:
        """The server as a file system."""
        import s3fs  # noqa: PLC0415  # half a second

        return s3fs.S3FileSystem(
            key="AKIATEST",
            secret=SECRET,
            endpoint_url=self.endpoint,
            use_listings_cache=False,
            skip_instance_cache=True,
        )


@contextmanager
def served() -> Iterator[str]:
    """The address of a server without a bucket; it is stopped afterwards."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  # two seconds

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
