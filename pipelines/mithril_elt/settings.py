"""Where key, project and address come from: first found wins, each on its own.

Stands beside `client`; reads, never writes. In order: what the caller gives; the environment; dlt's
configuration (`[sources.mithril]`); the vendor's file. A key is never shown, not even in an error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from mithril_elt.errors import KeyRefusedError, UsageError

__all__ = ["DEFAULT_API_URL", "Settings", "find_settings", "find_timezone", "find_webhook", "vendor_files"]

DEFAULT_API_URL = "https://api.mithril.ai"
_YEARS = range(2020, 2041)  # of which there may be figures


@dataclass(frozen=True)
class Settings:
    """What was found: the key, the API's address (None: the public one), the projects (none: all)."""

    api_key: str = field(repr=False)
    api_url: str | None
    projects: tuple[str, ...]


def find_settings(
    *, api_key: str | None = None, api_url: str | None = None, projects: Sequence[str] = (), needs_key: bool = True
) -> Settings:
    """The settings in force.

    Raises:
        KeyRefusedError: no key anywhere.
        UsageError: a configuration file cannot be read, or MITHRIL_PROFILE names none of its profiles.
    """
    sources = _Sources()
    key = api_key or sources.find("api_key", "MITHRIL_API_KEY")
    if not key and needs_key:
        raise KeyRefusedError(
            "no API key: set MITHRIL_API_KEY, or api_key under [sources.mithril] in .dlt/secrets.toml"
        )
    named = projects or (sources.find("project_id", "MITHRIL_PROJECT") or "").split(",")
    return Settings(
        api_key=key or "",
        api_url=api_url or sources.find("api_url", "MITHRIL_API_URL"),
        projects=tuple(p.strip() for p in named if p.strip()),
    )


def find_webhook() -> str | None:
    """Where to tell of failures, if anywhere: MITHRIL_WEBHOOK_URL, else `webhook_url` of dlt's configuration.

    Raises:
        UsageError: dlt's configuration cannot be read.
    """
    return _text(os.environ.get("MITHRIL_WEBHOOK_URL")) or _text(_from_dlt("webhook_url")) or None


def find_timezone() -> str:
    """The zone of days and months in the models: MITHRIL_REPORT_TIMEZONE, else `report_timezone` of dlt's; else UTC.

    Raises:
        UsageError: there is no such zone, its days begin within a UTC hour, or dlt's configuration cannot be read.
    """
    name = _text(os.environ.get("MITHRIL_REPORT_TIMEZONE")) or _text(_from_dlt("report_timezone")) or "UTC"
    try:
        zone = ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise UsageError(f"MITHRIL_REPORT_TIMEZONE {name!r} is no time zone: write one such as Europe/Berlin") from None
    days = (datetime(year, month, 1, tzinfo=zone) for year in _YEARS for month in range(1, 13))
    if any((day.utcoffset() or timedelta()) % timedelta(hours=1) for day in days):
        raise UsageError(
            f"MITHRIL_REPORT_TIMEZONE {name!r} has days that begin within a UTC hour: figures are of whole ones"
        )
    return zone.key


class _Sources:
    """The places to look, each opened only when the ones before it have nothing."""

    def __init__(self) -> None:
        self._profile: Mapping[str, Any] | None = None

    def find(self, name: str, variable: str) -> str | None:
        places: tuple[Callable[[], Any], ...] = (
            lambda: os.environ.get(variable),
            lambda: _from_dlt(name),
            lambda: self.profile.get(name),
        )
        return next((text for text in (_text(place()) for place in places) if text), None)

    @property
    def profile(self) -> Mapping[str, Any]:
        if self._profile is None:
            self._profile = _vendor_profile()
        return self._profile


def _text(value: Any) -> str:
    """A setting as text without what a shell or an editor leaves around it; a list joined by commas."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value or "").strip()


def _from_dlt(name: str) -> Any:
    """`[sources.mithril]` of dlt's own configuration; dlt is imported only if there may be one."""
    in_environment = any(variable.startswith("SOURCES__MITHRIL__") for variable in os.environ)
    if not in_environment and not any(file for folder in _dlt_folders() for file in folder.glob("*.toml")):
        return None
    import dlt  # noqa: PLC0415  # costs two seconds: only where it may have something to say
    from dlt.common.configuration.exceptions import ConfigProviderException  # noqa: PLC0415  # as above
    from dlt.common.configuration.utils import get_resolved_traces  # noqa: PLC0415  # as above

    names = ["projects", "project", "project_id"] if name == "project_id" else [name]
    asked = get_resolved_traces()
    was_noted, asked.logging_enabled = asked.logging_enabled, False  # dlt writes into its trace what it was asked for
    try:
        found: list[Any] = [
            provider.get(f"sources.mithril.{each}") for each in names for provider in (dlt.secrets, dlt.config)
        ]
    except ConfigProviderException as error:
        # the parser's own message may quote the line with the key
        raise UsageError(f"secrets.toml or config.toml in .dlt cannot be read ({type(error).__name__})") from None
    finally:
        asked.logging_enabled = was_noted
    return next((value for value in found if value), None)


def _dlt_folders() -> list[Path]:
    """Where dlt looks for its files: the project's folder first, then that of the user or of the machine."""
    data = os.environ.get("XDG_DATA_HOME")
    shared = [Path("/var/dlt"), *([Path(data) / "dlt"] if data else []), *(home / ".dlt" for home in _home())]
    return [Path(os.environ.get("DLT_PROJECT_DIR", ".")) / ".dlt", *shared]


def _home() -> list[Path]:
    """The user's folder, if the machine knows one: a container's user may have none."""
    try:
        return [Path.home()]
    except RuntimeError:
        return []


def vendor_files() -> list[Path]:
    """The vendor's configuration files, the one that counts first."""
    named = os.environ.get("XDG_CONFIG_HOME")
    bases = [Path(named)] if named else [home / ".config" for home in _home()]
    newer = [base / "mithril" / "config.yaml" for base in bases]
    return newer + [home / ".flow" / "config.yaml" for home in _home()]


def _vendor_profile() -> Mapping[str, Any]:
    file = next((f for f in vendor_files() if f.is_file()), None)
    if file is None:
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        # the parser's own message may quote the line with the key
        raise UsageError(f"{file} cannot be read as YAML ({type(error).__name__})") from None
    if not isinstance(content, dict):
        return {}
    profiles = content.get("profiles")
    if not isinstance(profiles, dict):
        return {**content, "project_id": content.get("project_id") or content.get("project")}
    wanted = os.environ.get("MITHRIL_PROFILE", "").strip() or content.get("current_profile")
    if wanted is None:
        return {}
    named = {str(name): profile for name, profile in profiles.items()}
    profile = named.get(str(wanted))
    if not isinstance(profile, dict):
        raise UsageError(f"{file} has no profile {str(wanted)!r}; it has {', '.join(named) or 'none'}")
    return profile
