import pytest
from pydantic import ValidationError

from segspark.bi.serving.config import ServeConfig, is_loopback
from segspark.bi.serving.process import hive_settings

LDAP = {"authentication": "ldap", "ldap_url": "ldaps://d.example", "ldap_user_pattern": "uid=%s,dc=example"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_served_to_everyone_on_this_machine(host):
    assert is_loopback(host) and ServeConfig(host=host).authentication == "none"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "10.0.0.1", "warehouse.example", "127.0.0.1.example"])
@pytest.mark.parametrize("settings", [{}, {"keystore": "k.jks"}, LDAP], ids=["nothing", "only TLS", "only ldap"])
def test_any_other_address_needs_authentication_and_tls(host, settings):
    with pytest.raises(ValidationError, match="host: only an address of loopback"):
        ServeConfig(host=host, **settings)
    assert ServeConfig(host=host, keystore="k.jks", **LDAP).host == host


def test_ldap_needs_to_know_its_directory():
    with pytest.raises(ValidationError, match="ldap needs ldap_url and ldap_user_pattern"):
        ServeConfig(authentication="ldap", ldap_url="ldaps://d.example")


def test_the_server_is_told_hives_names_of_settings_and_no_password(monkeypatch, tmp_path):
    monkeypatch.setenv("SEGSPARK_KEYSTORE_PASSWORD", "a-secret")
    settings = hive_settings(ServeConfig(host="10.0.0.1", keystore=str(tmp_path / "k.jks"), **LDAP))
    assert settings == {
        "hive.server2.thrift.bind.host": "10.0.0.1",
        "hive.server2.thrift.port": "10000",
        "hive.server2.enable.doAs": "false",
        "hive.server2.authentication": "LDAP",
        "hive.server2.authentication.ldap.url": "ldaps://d.example",
        "hive.server2.authentication.ldap.userDNPattern": "uid=%s,dc=example",
        "hive.server2.use.SSL": "true",
        "hive.server2.keystore.path": str(tmp_path / "k.jks"),
    }
