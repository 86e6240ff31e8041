"""What the project stands on: its pins, what is installed, under which licences, and what is known against it.

Stands beside `run`. The first three need no network. The last asks the OSV database by pip-audit; where it cannot be
reached that is said, and is no failure unless AUDIT_MUST_REACH is set. Ends with 1 if anything is found.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
# Environments of their own, with drivers and schedulers that users choose.
ELSEWHERE = tuple(
    f".ci/requirements-{name}.txt"
    for name in ("warehouses", "spark", "iceberg", "schedules", "airflow", "browser", "docs", "focus")
)
PINS = (".ci/requirements.txt", ".ci/requirements-dev.txt", *ELSEWHERE, ".ci/installer.txt")
OURS = "mithril-elt"
VENVS_OWN = {OURS, "pip", "setuptools"}  # what is in any environment before the pins are

COMMERCIAL = ("dlthub", "dlt-plus")  # and dlt[hub], which brings them

ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD", "CC0-1.0", "CNRI-Python", "MIT", "MPL-2.0"),
    *("PSF-2.0", "Zlib", "DFSG approved", "3-Clause BSD License", "Apache Software License", "BSD License"),
    *("MIT License", "Mozilla Public License 2.0 (MPL 2.0)", "Python Software Foundation License"),
}
LOOKED_AT = {
    "docutils": "in the public domain or under BSD; the GPL is of an Emacs mode that is not in what is installed",
    "focus-data-toolkit": "MIT, and tables of FOCUS under CC-BY-4.0: it checks this project, and is no part of it",
    "text-unidecode": "the Artistic License, of the two it is under",
    "yamllint": "GPL-3.0: a program that checks this project, and no part of it",
}

_HASH = r" --hash=sha256:[0-9a-f]{64}"
_PIN = re.compile(rf"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+?))?(?:{_HASH})+")
_NETWORK = ("requests.exceptions.", "ConnectionError", "ServiceError", "ConnectTimeout")


@dataclass(frozen=True)
class Pin:
    """One line of a file of pins."""

    name: str
    version: str
    marker: str | None = None

    def is_for_here(self) -> bool:
        """Whether this machine and this Python need it."""
        return self.marker is None or bool(Requirement(f"{self.name} ; {self.marker}").marker.evaluate())  # type: ignore[union-attr]  # it has one


def lines_of(text: str) -> Iterator[str]:
    """The lines of a file of pins, those that are carried on joined."""
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return (line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def pins_of(text: str) -> list[Pin]:
    """What a file pins; lines that pin nothing are left to `unpinned`."""
    found = filter(None, map(_PIN.fullmatch, lines_of(text)))
    return [Pin(canonicalize_name(each["name"]), each["version"], each["marker"]) for each in found]


def unpinned(text: str) -> Iterator[str]:
    """Whatever is no exact version with hashes (an index, a URL, a range, a missing hash), and what we never take."""
    for line in lines_of(text):
        if not _PIN.fullmatch(line):
            yield f"{line[:80]!r} is no exact version with hashes"
    yield from (f"{pin.name} is commercial" for pin in pins_of(text) if pin.name.startswith(COMMERCIAL))


def strange_requirements(project: str) -> Iterator[str]:
    """Requirements of `pyproject.toml` that are URLs, or bring what we never take."""
    told = tomllib.loads(project)
    groups = [each for group in told.get("dependency-groups", {}).values() for each in group if isinstance(each, str)]
    extras = [each for extra in told["project"].get("optional-dependencies", {}).values() for each in extra]
    for line in [*told["project"]["dependencies"], *extras, *groups, *told["build-system"]["requires"]]:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            yield f"{line!r} cannot be read"
            continue
        if wanted.url:
            yield f"{line!r} is a URL"
        if wanted.name.lower().startswith(COMMERCIAL) or (wanted.name == "dlt" and "hub" in wanted.extras):
            yield f"{line!r} is commercial"


def not_as_pinned(pins: Iterable[Pin], installed: Mapping[str, str]) -> Iterator[str]:
    """What is installed and not pinned, pinned and not installed, or of another version."""
    wanted = {pin.name: pin.version for pin in pins if pin.is_for_here()}
    for name in sorted(wanted.keys() | installed.keys() - VENVS_OWN):
        has, wants = installed.get(name), wanted.get(name)
        if has != wants:
            yield f"{name}: {has or 'none'} is installed, {wants or 'none'} is pinned: `make clean setup` mends it"


def licence_of(distribution: Distribution) -> list[str]:
    """What a distribution says of its licence: an expression, or classifiers, or a word."""
    told = distribution.metadata
    expression = told.get("License-Expression")
    if expression:
        return [expression]
    classified = [each.split(" :: ")[-1] for each in told.get_all("Classifier", []) if each.startswith("License ::")]
    return classified or [(told.get("License") or "nothing").strip()[:80]]


def is_allowed(licence: str) -> bool:
    """Whether each part of an expression is on the list, and of alternatives one."""
    every = licence.split(" AND ")
    return licence in ALLOWED or all(any(part.strip("() ") in ALLOWED for part in each.split(" OR ")) for each in every)


def strange_licences(licences: Mapping[str, list[str]]) -> Iterator[str]:
    """Licences that nobody has looked at, and names on the list of those looked at that are not there any more."""
    for name, told in sorted(licences.items()):
        if name not in LOOKED_AT and not all(map(is_allowed, told)):
            yield f"{name} is under {', '.join(told)}: look at it, and put it on a list in .ci/audit.py"
    yield from (
        f"{name} is not installed any more: its licence needs no mention" for name in LOOKED_AT.keys() - licences
    )


def advisories(file: Path, *options: str) -> tuple[list[str], str | None]:
    """What is known against the pins of a file, and a note where that could not be found out for all of them."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "-s", "osv", "-f", "json"]
    command += ["--progress-spinner", "off", "--timeout", "15", "-r", str(file), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own arguments
    try:
        told = json.loads(done.stdout)["dependencies"]
    except ValueError:
        said = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
        if any(word in said for word in _NETWORK):
            return [], f"the OSV database cannot be reached ({said[:120]})"
        return [f"pip-audit failed: {said[:300]}"], None
    found = [
        f"{each['name']} {each['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or 'no release'}"
        for each in told
        for known in each.get("vulns", [])
    ]
    skipped = [each["name"] for each in told if "skip_reason" in each]
    return found, f"nobody looked at {', '.join(skipped)}" if skipped else None


def main() -> int:
    """Prints what was found; the exit status."""
    texts = {name: (ROOT / name).read_text() for name in PINS}
    pins = [pin for name, text in texts.items() if name not in ELSEWHERE for pin in pins_of(text)]
    here = {canonicalize_name(each.metadata["Name"]): each for each in distributions()}
    installed = {name: each.version for name, each in here.items()}
    licences = {name: licence_of(each) for name, each in here.items() if name not in VENVS_OWN}
    found = [f"{name}: {fault}" for name, text in texts.items() for fault in unpinned(text)]
    found += [f"pyproject.toml: {fault}" for fault in strange_requirements((ROOT / "pyproject.toml").read_text())]
    found += [*not_as_pinned(pins, installed), *strange_licences(licences)]
    notes = []
    for name in PINS[1:]:  # the second has all of the first
        known, note = advisories(ROOT / name)
        found += known
        notes += [f"{name}: {note}"] if note else []
    print(f"{len(set(pins))} pins with hashes, {len(installed)} distributions installed, their licences looked at.")
    for note in notes:
        print(f"*** NOT AUDITED for known vulnerabilities: {note}. Run `make audit` where it can be. ***")
    for each in found:
        print(f"FOUND: {each}")
    if not found and not notes:
        print("No vulnerability is known.")
    return 1 if found or (notes and os.environ.get("AUDIT_MUST_REACH")) else 0


if __name__ == "__main__":
    sys.exit(main())
