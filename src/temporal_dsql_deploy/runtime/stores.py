"""The data stores of the server's configuration: default and visibility."""

from __future__ import annotations

from typing import Any

from .values import Value, join_host_port
from .variables import Settings

_DEFAULT = "TEMPORAL_SQL_"
_VISIBILITY = "TEMPORAL_VISIBILITY_SQL_"
_SEARCH = "TEMPORAL_ELASTICSEARCH_"
POSTGRESQL = "postgres12_pgx"
_IDLE = "15s"


def default_store(settings: Settings) -> dict[str, Any]:
    """The default store: DSQL, or PostgreSQL in its place."""
    return {"sql": _sql(settings, _DEFAULT, settings.text(f"{_DEFAULT}PLUGIN_NAME"))}


def visibility_store(settings: Settings) -> dict[str, Any]:
    """The visibility store: OpenSearch or PostgreSQL."""
    if settings.text("TEMPORAL_VISIBILITY_STORE") == "sql":
        return {"sql": _sql(settings, _VISIBILITY, POSTGRESQL)}
    return {"elasticsearch": _elasticsearch(settings)}


def sql_value(settings: Settings, prefix: str, name: str) -> Value | None:
    """A setting of an SQL store; the visibility store has those of the default store too."""
    found = settings.optional(prefix + name)
    return settings.optional(_DEFAULT + name) if found is None else found


def _sql(settings: Settings, prefix: str, plugin: str) -> dict[str, Any]:
    most = sql_value(settings, prefix, "MAX_CONNS")
    host = str(sql_value(settings, prefix, "HOST"))
    store: dict[str, Any] = {
        "pluginName": plugin,
        "databaseName": sql_value(settings, prefix, "DATABASE"),
        "connectAddr": join_host_port(host, int(sql_value(settings, prefix, "PORT") or 0)),
        "connectProtocol": "tcp",
        "user": sql_value(settings, prefix, "USER"),
        "maxConns": most,
        # Fewer would be opened and closed all the time.
        "maxIdleConns": most,
        "maxConnLifetime": settings.text(f"{_DEFAULT}MAX_CONN_LIFETIME"),
        # Tells the roles apart in pg_stat_activity.
        "connectAttributes": {"application_name": settings.text("TEMPORAL_SERVICES")},
    }
    password = sql_password(settings, prefix)
    if plugin == POSTGRESQL and password is not None:
        store["password"] = password
    if sql_value(settings, prefix, "TLS_ENABLED"):
        store["tls"] = _sql_tls(settings, prefix)
    return store


def sql_password(settings: Settings, prefix: str) -> str | None:
    """The password of an SQL store; None where it has none."""
    found = settings.secret(f"{prefix}PASSWORD")
    return settings.secret(f"{_DEFAULT}PASSWORD") if found is None else found


def _sql_tls(settings: Settings, prefix: str) -> dict[str, Any]:
    tls: dict[str, Any] = {
        "enabled": True,
        "enableHostVerification": bool(sql_value(settings, prefix, "TLS_HOST_VERIFICATION")),
    }
    authority = sql_value(settings, prefix, "TLS_CA_FILE")
    if authority is not None:
        tls["caFile"] = authority
    if tls["enableHostVerification"]:
        # DSQL's plugin takes the host of connectAddr anyhow; PostgreSQL's wants it said.
        tls["serverName"] = sql_value(settings, prefix, "HOST")
    return tls


def _elasticsearch(settings: Settings) -> dict[str, Any]:
    address = join_host_port(settings.text(f"{_SEARCH}HOST"), settings.number(f"{_SEARCH}PORT"))
    store: dict[str, Any] = {
        "version": settings.text(f"{_SEARCH}VERSION"),
        "url": {"scheme": settings.text(f"{_SEARCH}SCHEME"), "host": address},
        "indices": {"visibility": settings.text(f"{_SEARCH}INDEX")},
        "logLevel": "error",
        # A managed domain has one address for all its nodes, which sniffing would go around.
        "enableSniff": False,
        "enableHealthcheck": False,
        "closeIdleConnectionsInterval": _IDLE,
    }
    if settings.switch(f"{_SEARCH}REQUEST_SIGNING"):
        store["aws-request-signing"] = {
            "enabled": True,
            "region": settings.text("AWS_REGION"),
            "credentialProvider": "aws-sdk-default",
        }
    if f"{_SEARCH}USER" in settings:
        store["username"] = settings.text(f"{_SEARCH}USER")
        store["password"] = settings.secret(f"{_SEARCH}PASSWORD") or ""
    if f"{_SEARCH}TLS_CA_FILE" in settings:
        store["tls"] = {
            "enabled": True,
            "caFile": settings.text(f"{_SEARCH}TLS_CA_FILE"),
            "enableHostVerification": True,
        }
    return store
