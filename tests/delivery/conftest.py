"""A certificate for the mail servers of these tests, which this process trusts."""

from pathlib import Path

import pytest

from tests.postoffice import certified


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certified(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Trust nobody but the server of a test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    return certificate
