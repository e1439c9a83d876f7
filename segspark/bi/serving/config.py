"""Where the SQL endpoint listens, who may ask, and what stands between it and the rest of the machine."""

import ipaddress
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ServeConfig(BaseModel):
    """The SQL endpoint of `segspark serve`. None of it changes a result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"  # any other than loopback needs authentication and a keystore
    port: int = Field(10000, ge=1, le=65535)  # of HiveServer2's protocol
    folder: str | None = None  # for the masked copy; default: beside a lake in a folder, by its name and `_served`
    refresh_seconds: float = Field(60, ge=1)  # between two looks for a newer publication
    authentication: Literal["none", "ldap"] = "none"  # of who asks
    ldap_url: str | None = None  # ldaps://directory.example
    ldap_user_pattern: str | None = None  # uid=%s,ou=people,dc=example, to bind as who asks
    keystore: str | None = None  # a Java keystore with the key for TLS; its password: SEGSPARK_KEYSTORE_PASSWORD
    sandbox: Literal["bubblewrap", "none"] = "bubblewrap"  # none: something else keeps the server from the lake
    driver_memory: str = "2g"  # heap of the server

    @model_validator(mode="after")
    def _is_safe_to_listen(self) -> "ServeConfig":
        if self.authentication == "ldap" and not (self.ldap_url and self.ldap_user_pattern):
            raise ValueError("authentication: ldap needs ldap_url and ldap_user_pattern")
        is_safe = self.authentication != "none" and self.keystore is not None
        if not is_safe and not is_loopback(self.host):
            raise ValueError(
                "host: only an address of loopback (127.0.0.1) is served without authentication and TLS; set"
                f" authentication and keystore to listen on {self.host}, or put a proxy that has both in front"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address. A name other than localhost may be anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
