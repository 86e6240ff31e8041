"""A server that is gone, that is not trusted, or that speaks another language: told at once and by its name."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from certificates import self_signed
from mithril_elt.errors import ApiError
from mithril_elt.transport import _certificates
from scripted import Scripted, scripted
from session import ME, QUICK, get


@pytest.mark.shows(6)
def test_a_server_that_is_gone_is_an_api_error_that_names_it() -> None:
    """Refused connections are tried again, then told with the host, and not as a time-out."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    gone = Scripted(f"http://127.0.0.1:{port}")
    with pytest.raises(ApiError, match=r"127\.0\.0\.1") as failed:
        get(gone, replace(QUICK, attempts=2))
    assert "refused" in str(failed.value) or "Connect call failed" in str(failed.value)
    assert "gave no answer in" not in str(failed.value)


def test_a_host_that_does_not_exist_is_an_api_error() -> None:
    """A name that resolves to nothing."""
    nowhere = Scripted("https://nowhere.invalid")
    with pytest.raises(ApiError, match=r"nowhere\.invalid"):
        get(nowhere, replace(QUICK, attempts=1))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A certificate of this machine's address that nobody trusts, and its file."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


def test_a_certificate_that_is_not_trusted_ends_it_at_once(certificate: tuple[ssl.SSLContext, Path]) -> None:
    """No request leaves, no other try is made, and the sentence says what to set where it is to be trusted."""
    with scripted(ME, tls=certificate[0]) as server:
        with pytest.raises(ApiError, match="certificate that is not trusted") as failed:
            get(server)
        assert (server.asked, server.connections) == ([], 1)
    assert server.url.removeprefix("https://") in str(failed.value)
    assert "SSL_CERT_FILE" in str(failed.value)
    assert failed.value.exit_status == 5


def test_a_certificate_that_is_named_as_trusted_is_trusted(
    certificate: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the advice of the sentence above; but for no other host than the one it names."""
    context, file = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    _certificates.cache_clear()
    try:
        with scripted(ME, tls=context) as server:
            assert get(server).rows[0].fid == "user_1"
            with pytest.raises(ApiError, match="not trusted"):
                get(replace(server, url=server.url.replace("127.0.0.1", "localhost")))
            assert len(server.asked) == 1
    finally:
        _certificates.cache_clear()


def test_a_plain_server_that_is_spoken_to_by_https_is_told_at_once() -> None:
    """Nothing leaves in the clear, and the sentence names the setting to look at."""
    with scripted(ME) as server:
        with pytest.raises(ApiError, match="does not speak https") as failed:
            get(replace(server, url=server.url.replace("http:", "https:")))
        assert (server.asked, server.connections) == ([], 1)
    assert "MITHRIL_API_URL" in str(failed.value)
