"""What `dsql-deploy up cluster` is compared with: the same processes, started by a small program.

    python benchmarks/roles_by_hand.py FOLDER NETWORK SERVERS POSTGRESQL

It makes a database, starts one role, then the others, and prints a line once all four are SERVING;
then it stops everything. As root it runs PostgreSQL as `nobody`, who must be able to enter FOLDER.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

ROLES = {
    "history": (7234, 6934, "HistoryService"),
    "matching": (7235, 6935, "MatchingService"),
    "frontend": (7233, 6933, "WorkflowService"),
    "worker": (7239, 6939, "WorkerService"),
}
CONFIG = """
log: {{stdout: true, level: info}}
persistence:
  numHistoryShards: 64
  defaultStore: default
  visibilityStore: visibility
  datastores:
    default: {{sql: {{{store}, databaseName: temporal}}}}
    visibility: {{sql: {{{store}, databaseName: temporal_visibility}}}}
global:
  membership: {{maxJoinDuration: 10s, broadcastAddress: "{address}"}}
services:
{services}
clusterMetadata:
  enableGlobalNamespace: false
  failoverVersionIncrement: 10
  masterClusterName: active
  currentClusterName: active
  clusterInformation:
    active: {{enabled: true, initialFailoverVersion: 1, rpcAddress: "127.0.0.1:7233"}}
"""
STORE = (
    'pluginName: postgres12_pgx, connectAddr: "{host}:5432", connectProtocol: tcp, '
    "user: temporal, password: any, maxConns: 20, maxIdleConns: 20"
)
SCHEMAS = {"temporal": "temporal", "temporal_visibility": "visibility"}


def database(folder: Path, host: str, programs: Path) -> None:
    """Make PostgreSQL's data and start it."""
    user = "nobody" if os.geteuid() == 0 else None
    settings = f"-c listen_addresses={host} -c unix_socket_directories='' -c max_connections=500"
    commands = (
        ["initdb", "-D", "data", "-U", "temporal", "-A", "trust", "-E", "UTF8", "--locale=C"],
        ["pg_ctl", "-D", "data", "-w", "-l", "log", "-o", settings, "start"],
    )
    for name, *words in commands:
        subprocess.run(
            [str(programs / name), *words],
            cwd=folder,
            user=user,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def schema(host: str, servers: Path) -> None:
    """Give both databases their tables."""
    connection = {
        "SQL_PLUGIN": "postgres12_pgx",
        "SQL_HOST": host,
        "SQL_PORT": "5432",
        "SQL_USER": "temporal",
        "SQL_PASSWORD": "any",
    }
    for name, kind in SCHEMAS.items():
        for words in (
            ["create-database"],
            ["setup-schema", "-v", "0.0"],
            ["update-schema", "--schema-name", f"postgresql/v12/{kind}"],
        ):
            subprocess.run(
                [str(servers / "temporal-sql-tool"), "--db", name, *words],
                env={**os.environ, **connection},
                capture_output=True,
                check=True,
            )


def start(
    role: str, address: str, host: str, folder: Path, servers: Path
) -> "subprocess.Popen[bytes]":
    """Start a role with a configuration file of its own."""
    services = "\n".join(
        f"  {name}: {{rpc: {{grpcPort: {grpc}, membershipPort: {ring}, bindOnIP: {address}}}}}"
        for name, (grpc, ring, _) in ROLES.items()
    )
    config = folder / f"{role}.yaml"
    store = STORE.format(host=host)
    config.write_text(CONFIG.format(store=store, address=address, services=services))
    with (folder / f"{role}.log").open("wb") as log:
        return subprocess.Popen(
            [
                *(str(servers / "temporal-server"), "--config-file", str(config)),
                *("--allow-no-auth", "start", "--service", role),
            ],
            stdout=log,
            stderr=log,
        )


async def serving(address: str, service: str) -> None:
    """Until gRPC health says SERVING."""
    from temporalio.service import ConnectConfig, ServiceClient

    client = await ServiceClient.connect(ConnectConfig(target_host=address, lazy=True))
    while True:
        try:
            if await client.check_health(service=f"temporal.api.workflowservice.v1.{service}"):
                return
        except RuntimeError:
            pass
        await asyncio.sleep(0.02)


async def all_serving(addresses: dict[str, str]) -> None:
    """Until all four do."""
    asked = (
        serving(f"{addresses[role]}:{grpc}", service) for role, (grpc, _, service) in ROLES.items()
    )
    await asyncio.gather(*asked)


def main() -> None:
    """Start everything, say so, stop everything."""
    folder, servers, programs = Path(sys.argv[1]), Path(sys.argv[3]), Path(sys.argv[4])
    network = sys.argv[2]
    host = f"127.{network}.0.1"
    addresses = {role: f"127.{network}.{row}.1" for row, role in enumerate(ROLES, 1)}
    database(folder, host, programs)
    started = []
    try:
        schema(host, servers)
        for role, address in addresses.items():
            started.append(start(role, address, host, folder, servers))
            while role == "history" and "bootstrap hosts fetched" not in (
                folder / "history.log"
            ).read_text(errors="replace"):
                time.sleep(0.02)
        asyncio.run(all_serving(addresses))
        print("SERVING", flush=True)
    finally:
        for process in started:
            process.kill()
            process.wait()
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 3)
    os._exit(0)


if __name__ == "__main__":
    main()
