"""A folder or an S3 bucket that holds the raw tables as files, and the DuckDB file beside it that models them.

Stands under `lock` and `warehouse`, beside `postgres`: what dlt's configuration says, and how the files are reached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mithril_elt.errors import MithrilError, UsageError, WarehouseError

__all__ = ["Objects"]

_LAYOUT = "{table_name}/{load_id}.{file_id}.{ext}"  # a job that is begun again writes the same file again
_PATIENCE = {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3, "mode": "standard"}}
_IN_BLOCKS = {"default_cache_type": "blockcache", "default_block_size": 8 * 2**20}  # a small file is one request
_NO_DRIVER = "S3 needs its driver: pip install 'mithril-elt[filesystem]'"
_DRIVERS = {"aiobotocore", "aiohttp", "botocore", "fsspec", "s3fs"}
_SECRETS = ("aws_secret_access_key", "aws_session_token")


@dataclass(frozen=True)
class Objects:
    """Raw tables as files under `url`, and the DuckDB file in which they are views and the models are built.

    What is said of it has no secret in it: `config` is dlt's, with the credentials.
    """

    file: Path
    url: str
    config: Any = field(repr=False, compare=False)

    def __str__(self) -> str:
        return self.inside() if self.is_local else self.url

    @classmethod
    def configured(cls, file: Path) -> Objects:
        """The one of dlt's own configuration, `[destination.filesystem]` or its variables, modelled in that file.

        Raises:
            UsageError: it names no folder and no bucket, or a kind of storage that is not known here.
            WarehouseError: it has no credentials for the bucket.
        """
        from dlt.common.configuration.exceptions import ConfigurationException  # noqa: PLC0415  # half a second
        from dlt.common.configuration.resolve import resolve_configuration  # noqa: PLC0415  # as above
        from dlt.common.exceptions import MissingDependencyException  # noqa: PLC0415  # as above
        from dlt.common.storages.configuration import FilesystemConfiguration  # noqa: PLC0415  # as above

        url = _told_url()
        try:
            config = resolve_configuration(FilesystemConfiguration(), sections=("destination", "filesystem"))
        except MissingDependencyException:
            raise UsageError(_NO_DRIVER) from None
        except (ConfigurationException, ValueError) as error:
            # the parser's own message may quote a line with the secret
            raise WarehouseError(
                f"no credentials for {url} that can be understood ({type(error).__name__}): set"
                " DESTINATION__FILESYSTEM__CREDENTIALS__AWS_ACCESS_KEY_ID and …__AWS_SECRET_ACCESS_KEY, or the same in"
                " .dlt/secrets.toml"
            ) from None
        if config.protocol == "s3":
            config.kwargs = _IN_BLOCKS | (config.kwargs or {})
            config.config_kwargs = _PATIENCE | (config.config_kwargs or {})
        return cls(file, config.bucket_url.rstrip("/"), config)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine, or one that is mounted."""
        return bool(self.config.is_local_filesystem)

    @property
    def secrets(self) -> list[str]:
        """What must appear nowhere."""
        told = self.config.credentials.to_session_credentials() if self.config.credentials else {}
        return [str(told[name]) for name in _SECRETS if told.get(name)]

    @property
    def destination(self) -> Any:
        """dlt's destination for it."""
        import dlt  # noqa: PLC0415  # half a second

        own = {"kwargs": self.config.kwargs, "client_kwargs": self.config.client_kwargs}
        own["config_kwargs"] = self.config.config_kwargs
        return dlt.destinations.filesystem(self.url, self.config.credentials, layout=_LAYOUT, **own)

    @cached_property
    def files(self) -> Any:
        """The file system of fsspec, which lists anew each time it is asked.

        Raises:
            UsageError: the driver is not installed.
        """
        return _driver(self.config)

    @cached_property
    def _listed_files(self) -> Any:
        """The same, which knows each file of the last listing: DuckDB else asks for its size again and again."""
        kept = {"use_listings_cache": True, "listings_expiry_time": None}
        return _driver(replace(self.config, kwargs={**(self.config.kwargs or {}), **kept}))

    def listing(self, folder: str) -> dict[str, int]:
        """The files under a folder as `files` calls them, each with its size in bytes; none if there is no folder.

        Raises:
            WarehouseError: it cannot be reached.
        """
        with self.reached():
            self._listed_files.invalidate_cache()
            found = self._listed_files.find(folder, detail=True)
        return {str(path): int(entry["size"] or 0) for path, entry in sorted(found.items())}

    def write_whole(self, path: str, content: bytes) -> None:
        """Writes a file so that a reader sees all of it or none: a bucket does, a folder by a new name."""
        if not self.is_local:
            self.files.pipe_file(path, content)
            return
        written = Path(f"{path}.part")
        written.write_bytes(content)
        written.replace(path)

    def inside(self, *names: str) -> str:
        """The path of something under `url`, as `files` calls it."""
        root = self.config.make_local_path(self.url) if self.is_local else self.url.partition("://")[2]
        return "/".join((root.rstrip("/"), *names))

    def address(self, path: str) -> str:
        """Such a path as DuckDB calls it."""
        return path if self.is_local else f"{self.config.protocol}://{path}"

    def check(self) -> None:
        """Passes if there is a bucket, or a folder can be made.

        Raises:
            WarehouseError: there is none, or it cannot be reached.
        """
        with self.reached():
            if self.is_local:
                Path(self.inside()).mkdir(parents=True, exist_ok=True)
                return
            try:  # dlt would make one, wherever that is
                self.files.call_s3("head_bucket", Bucket=self.inside().partition("/")[0])
            except FileNotFoundError:
                raise WarehouseError(f"there is no bucket for {self}: make it first") from None

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Turns what the storage or its driver says into one sentence.

        Raises:
            WarehouseError: it said something.
        """
        try:
            yield
        except MithrilError:
            raise
        except Exception as error:
            if self.is_said_by_it(error):
                raise self.error(error) from error
            raise

    def is_said_by_it(self, error: BaseException) -> bool:
        """Whether an error is one of the storage or its driver."""
        return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _DRIVERS

    def register(self, connection: Any) -> None:
        """Lets DuckDB read the files, through fsspec where they are not of this machine: no extension is needed."""
        if not self.is_local:
            with suppress(Exception):  # it was registered before, by another connection to the same file
                connection.unregister_filesystem(self.config.protocol)
            connection.register_filesystem(self._listed_files)

    @property
    def work_folder(self) -> Path:
        """The hidden folder for dlt's working files beside the DuckDB file: one for each bucket."""
        file = self.file.resolve()
        return file.parent / f".{file.name}.{self.digest}.files.dlt"

    @property
    def lock_file(self) -> Path:
        """What a writer locks: in the folder itself, or for this user of this machine, if it is a bucket."""
        import platformdirs  # noqa: PLC0415  # only for writers

        if self.is_local:
            return Path(self.inside(".mithril-elt.lock"))
        return platformdirs.user_state_path("mithril-elt") / f"{self.digest}.lock"

    @property
    def digest(self) -> str:
        """A short name of the place."""
        endpoint = getattr(self.config.credentials, "endpoint_url", None) or ""
        return hashlib.sha256(f"{endpoint} {self.url}".encode()).hexdigest()[:8]

    def error(self, error: BaseException) -> WarehouseError:
        """One sentence for what the storage said."""
        said = " ".join(str(error).split())
        for secret in self.secrets:
            said = said.replace(secret, "…")
        return WarehouseError(f"{self} cannot be used: {said[:300] or type(error).__name__}")


def _driver(config: Any) -> Any:
    from dlt.common.exceptions import MissingDependencyException  # noqa: PLC0415  # half a second
    from dlt.common.storages.fsspec_filesystem import fsspec_from_config  # noqa: PLC0415  # as above

    try:
        return fsspec_from_config(config)[0]
    except (ImportError, MissingDependencyException):
        raise UsageError(_NO_DRIVER) from None


def _told_url() -> str:
    """What the configuration says of where; in the words of `FilesystemConfiguration`."""
    import dlt  # noqa: PLC0415  # half a second

    told = dlt.config.get("destination.filesystem.bucket_url", str)
    url = told.strip() if told else ""
    if not url:
        raise UsageError(
            "no folder or bucket: set DESTINATION__FILESYSTEM__BUCKET_URL=s3://BUCKET/FOLDER, or a path, or"
            " bucket_url under [destination.filesystem] in .dlt/config.toml"
        )
    scheme = url.partition("://")[0] if "://" in url else "file"
    if scheme not in {"file", "s3"}:
        raise UsageError(f"{scheme}:// is no storage that is known here: name a folder, or s3://BUCKET/FOLDER")
    if "@" in url:
        raise UsageError("the address of a bucket has no credentials in it: they are settings of their own")
    return url
