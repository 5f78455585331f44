"""Settings: where they come from and what is said when they cannot be used."""

from pathlib import Path

import pytest

from modelyard.errors import InvalidSettings
from modelyard.settings import Settings
from tests.support.artifacts.damaged import complaint, damaged


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file in force."""
    path = tmp_path / "config.yaml"
    path.write_text("store: {endpoint: http://from-file, accessKeyId: from-file}\n")
    monkeypatch.setenv("MODELYARD_CONFIG", str(path))
    return path


def test_the_environment_overrides_the_file_field_by_field(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELYARD_STORE_ACCESS_KEY_ID", "from-environment")

    store = Settings.read().store

    assert (store.endpoint, store.access_key_id) == ("http://from-file", "from-environment")


def test_addresses_of_services_that_kubernetes_puts_into_pods_are_not_settings(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELYARD_STORE_PORT", "tcp://10.96.0.9:8333")
    monkeypatch.setenv("MODELYARD_STORE_PORT_8333_TCP", "tcp://10.96.0.9:8333")
    monkeypatch.setenv("MODELYARD_OPERATOR_SERVICE_HOST", "10.96.0.8")

    assert Settings.read().store.endpoint == "http://from-file"


def test_a_wrong_name_in_the_file_is_named_with_the_file(file: Path) -> None:
    file.write_text("store: {endpiont: http://x}\n")

    with pytest.raises(InvalidSettings, match=r"store\.endpiont .* correct it in .*config\.yaml"):
        Settings.read()


def test_a_file_that_is_not_yaml_is_refused(file: Path) -> None:
    file.write_text("store: [unclosed\n")

    with pytest.raises(InvalidSettings, match="cannot be read as YAML"):
        Settings.read()


def test_a_named_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELYARD_CONFIG", "/no/such/file.yaml")

    with pytest.raises(InvalidSettings, match="not a file"):
        Settings.read()


def test_the_nearest_file_upward_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".modelyard").mkdir()
    (tmp_path / ".modelyard" / "config.yaml").write_text("gateway: {domain: example.org}\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.delenv("MODELYARD_CONFIG", raising=False)
    monkeypatch.chdir(inner)

    assert Settings.read().gateway.domain == "example.org"


def test_secrets_are_not_printed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELYARD_STORE_SECRET_ACCESS_KEY", "hush-hush")

    assert "hush-hush" not in repr(Settings.read())


def test_evidence_from_a_prometheus_needs_its_address(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("gateway: {evidence: prometheus}\n")
    with pytest.raises(InvalidSettings, match=r"setting gateway is not usable: .* needs prometheusUrl, such as http"):
        Settings.read()

    monkeypatch.setenv("MODELYARD_GATEWAY_PROMETHEUS_URL", "http://prometheus:9090")

    assert Settings.read().gateway.prometheus_url == "http://prometheus:9090"


def test_keda_needs_the_address_of_a_prometheus(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("autoscaling: {autoscaler: keda}\n")
    with pytest.raises(
        InvalidSettings, match=r"settings are not usable: .*keda needs gateway.prometheusUrl, such as http"
    ):
        Settings.read()

    monkeypatch.setenv("MODELYARD_GATEWAY_PROMETHEUS_URL", "http://prometheus:9090")

    assert Settings.read().autoscaling.autoscaler == "keda"


@pytest.mark.parametrize("address", ["prometheus:9090", "http://", "ftp://prometheus", "http:///path", "http://a b"])
def test_an_address_that_is_none_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("MODELYARD_GATEWAY_PROMETHEUS_URL", address)

    with pytest.raises(InvalidSettings, match=r"prometheusUrl is no address: write one such as http"):
        Settings.read()


def test_a_damaged_file_is_read_or_refused_with_its_name(file: Path) -> None:
    written = b"store:\n  endpoint: http://127.0.0.1:1\n  bucket: b\ngateway:\n  domain: x\n"

    for content in damaged(written):
        file.write_bytes(content)
        said = complaint(Settings.read, InvalidSettings)

        assert not said or str(file) in said
