"""What the project stands on: exact versions with hashes, known licences, and an audit that says if it was none."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
HASH = "--hash=sha256:" + "0" * 64


def _audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


audit: Any = _audit()


@pytest.mark.parametrize("name", audit.PINS)
def test_every_pin_has_an_exact_version_and_hashes(name: str) -> None:
    """No range, no URL, no index, nothing without a hash; nothing that is commercial."""
    text = (ROOT / name).read_text()
    assert list(audit.unpinned(text)) == []
    assert len(audit.pins_of(text)) == text.count("==") - text.count("== '")  # those of markers apart


def test_no_requirement_is_a_url_or_commercial() -> None:
    """As `pyproject.toml` has them."""
    assert list(audit.strange_requirements((ROOT / "pyproject.toml").read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        f"click>=8 {HASH}",
        "click==8.5.1",
        "click==8.5.1 --hash=md5:00",
        f"click @ https://example.org/click.whl {HASH}",
        "-e .",
        "--index-url https://example.org/simple",
        "--extra-index-url https://example.org/simple",
        "--find-links /wheels",
        f"dlthub==1.0 {HASH}",
        f"dlthub-client==1.0 {HASH}",
    ],
)
def test_a_line_that_pins_nothing_is_found(line: str) -> None:
    """Among lines that are right."""
    right = f"anyio==4.1 ; python_version < '4' \\\n    {HASH} \\\n    {HASH}\n# a word\nclick==8.5.1 \\\n    {HASH}\n"
    assert list(audit.unpinned(right)) == []
    assert len(list(audit.unpinned(f"{right}{line}\n"))) == 1


@pytest.mark.parametrize("line", ["dlt[duckdb,hub]>=1.31", "dlthub", "click @ https://example.org/click.whl", "???"])
@pytest.mark.parametrize("where", ["dependencies", "groups", "build"])
def test_a_requirement_that_is_not_to_be_is_found(line: str, where: str) -> None:
    """Wherever it is asked for."""
    lines = dict.fromkeys(("dependencies", "groups", "build"), "[]") | {where: json.dumps([line])}
    project = (
        f"[build-system]\nrequires = {lines['build']}\n[project]\ndependencies = {lines['dependencies']}\n"
        f"[dependency-groups]\ndev = {lines['groups']}\n"
    )
    assert len(list(audit.strange_requirements(project))) == 1


def test_what_is_installed_is_what_is_pinned() -> None:
    """Another version, one too many and one too few are found; what other machines need is not missed."""
    pins = [audit.Pin("click", "8.5.1"), audit.Pin("colorama", "0.4", "sys_platform == 'nowhere'")]
    assert list(audit.not_as_pinned(pins, {"click": "8.5.1", "mithril-elt": "0.1", "pip": "1"})) == []
    assert [each.split(":")[0] for each in audit.not_as_pinned(pins, {"click": "8.5.0", "leftover": "1"})] == [
        "click",
        "leftover",
    ]
    assert len(list(audit.not_as_pinned(pins, {}))) == 1


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT OR AFL-2.1", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", True),
        ("MIT AND AFL-2.1", False),
        ("GPL-3.0-or-later", False),
        ("LicenseRef-Commercial", False),
        ("nothing", False),
    ],
)
def test_licences(licence: str, *, allowed: bool) -> None:
    """Of a conjunction all parts are on the list, of alternatives one."""
    looked_at = {name: ["GPL"] for name in audit.LOOKED_AT}
    assert audit.is_allowed(licence) is allowed
    assert len(list(audit.strange_licences({"x": [licence], **looked_at}))) == (0 if allowed else 1)


def test_a_licence_that_was_looked_at_is_forgotten_with_its_package() -> None:
    """The list of exceptions does not outlive them."""
    assert len(list(audit.strange_licences({}))) == len(audit.LOOKED_AT)


@contextmanager
def osv(vulns: list[dict[str, Any]]) -> Iterator[str]:
    """A database of vulnerabilities on loopback that knows these of everything; its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """A file with one pin."""
    file = tmp_path / "pins.txt"
    file.write_text(f"click==8.1.8 \\\n    {HASH}\n")
    return file


def test_a_known_vulnerability_is_found(pins: Path) -> None:
    """With its name and the release that mends it."""
    affected = {
        "package": {"name": "click", "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "8.2.0"}]}],
        "versions": ["8.1.8"],
    }
    with osv([{"id": "OSV-1", "aliases": [], "details": "bad", "affected": [affected]}]) as url:
        assert audit.advisories(pins, "--osv-url", url) == (["click 8.1.8: OSV-1, mended in 8.2.0"], None)
    with osv([]) as url:
        assert audit.advisories(pins, "--osv-url", url) == ([], None)


def test_an_audit_that_was_none_says_so(pins: Path) -> None:
    """Where the database cannot be reached there is a note, and not the word that all is well."""
    with osv([]) as url:
        pass
    found, note = audit.advisories(pins, "--osv-url", url)
    assert found == []
    assert "cannot be reached" in note


def test_an_audit_that_fails_is_found(pins: Path) -> None:
    """Only the network excuses it."""
    pins.write_text("click>=8\n")
    found, note = audit.advisories(pins, "--osv-url", "http://127.0.0.1:9/")
    assert found[0].startswith("pip-audit failed")
    assert note is None
