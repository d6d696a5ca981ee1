"""A connection to Aurora DSQL: an IAM token in the place of a password, TLS with host verification.

The token comes of AWS's own connector for psycopg, made anew for each connection.
"""

import ipaddress
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import (
    CredentialsMissing,
    DatabaseUnusable,
    DeployError,
    InvalidSetting,
    PermissionMissing,
)

if TYPE_CHECKING:
    import psycopg

    from temporal_dsql_deploy.persistence.database import Database

ADMIN = "admin"
NAME = "postgres"
"""The one database of a cluster."""
PORT = 5432
_HOST = re.compile(r"(?P<id>[a-z0-9]+)\.dsql(?P<link>-[a-z0-9]+)?\.(?P<region>[a-z0-9-]+)\.on\.aws")
"""A cluster has the host ID.dsql.REGION.on.aws; over PrivateLink ID.dsql-SUFFIX.REGION.on.aws
(docs.aws.amazon.com/aurora-dsql, connecting with PrivateLink)."""
SIGNING = "get those that a token is signed with"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The host of a cluster, and the AWS region that its name tells."""

    host: str
    region: str

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Of a cluster's host name. Raises InvalidSetting, which says what is wrong with it.

        A token is signed for a region and a host: one of another region, or for an address, is
        refused by the database without a reason.
        """
        found = _HOST.fullmatch(text)
        if found is None:
            raise InvalidSetting(
                f"{text!r} is no host of an Aurora DSQL cluster",
                cause=_why_not(text),
                fix="give it as AWS does: ID.dsql.REGION.on.aws (terraform output "
                "dsql_cluster_endpoint)",
            )
        return cls(text, found["region"])


def _why_not(text: str) -> str:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        pass
    else:
        return "it is an address: a token is signed for the host name, and TLS verifies it"
    if "://" in text:
        return "it is a URL"
    if re.search(r":\d+$", text):
        return f"it has a port, which is always {PORT}"
    if text != text.strip().lower():
        return "it has capitals or spaces"
    if re.fullmatch(r"[a-z0-9]+", text):
        return "it is the identifier of a cluster alone"
    return "it is not ID.dsql.REGION.on.aws"


def connect(database: "Database", **options: Any) -> "psycopg.Connection":
    """A connection with a new token; `options` are libpq's.

    Raises CredentialsMissing, CredentialsExpired, PermissionMissing, DatabaseUnusable.
    """
    import psycopg
    from aurora_dsql_psycopg import DSQLConnection
    from botocore.exceptions import BotoCoreError, ClientError

    # It says what it raises too, and Python prints that where nobody has asked for it.
    logging.getLogger("dsql_core").addHandler(logging.NullHandler())
    try:
        opened: psycopg.Connection = DSQLConnection.connect(
            host=database.host,
            port=database.port,
            dbname=database.name,
            user=database.user,
            region=database.region,
            sslmode=database.sslmode,
            # Not libpq's `system`: in psycopg's wheels that is a folder which is on no machine.
            sslrootcert=database.sslrootcert or aws.authorities(),
            autocommit=True,
            **options,
        )
        return opened
    except (BotoCoreError, ClientError) as error:
        raise aws.told(error, SIGNING) from error
    except psycopg.OperationalError as error:
        raise refused(database, str(error)) from error


def refused(database: "Database", text: str) -> DeployError:
    """What a failed connection is told as; `text` is what libpq says of all addresses it tried."""
    said = " ".join(text.split())
    if "IAM authentication failed" in said:
        return CredentialsMissing(
            f"{database.host} does not know the AWS credentials",
            cause=said,
            fix=f"they may have expired: {aws.NEW_CREDENTIALS}",
        )
    if "access denied" in said:
        action = "dsql:DbConnectAdmin" if database.user == ADMIN else "dsql:DbConnect"
        return PermissionMissing(
            f"{database.host} does not let these AWS credentials in as {database.user}",
            cause=said,
            fix=f"if they have not expired, allow them {action} on the cluster's ARN; a database "
            f"role of one's own also needs: AWS IAM GRANT {database.user} TO 'ARN of the IAM role'",
        )
    for words, (message, fix) in _CAUSES.items():
        if words in said:
            return DatabaseUnusable(f"{database.host} {message}", cause=said, fix=fix)
    return DatabaseUnusable(
        f"{database.host} refuses the connection",
        cause=said,
        fix="see the state of the cluster: aws dsql get-cluster --identifier "
        f"{database.host.partition('.')[0]} --region {database.region}",
    )


_UNREACHED = (
    "connect from inside its VPC, or through a VPN into it: a private cluster is reached there and "
    "nowhere else"
)
_UNKNOWN = ("is no name that is known here", f"see that it is written right; {_UNREACHED}")
_CAUSES = {
    "too many connections": (
        "has no connection to spare",
        "see the budget of connections: dsql-deploy check ENV",
    ),
    "certificate verify failed": (
        "shows a certificate that is not trusted here",
        "see who answers in its place; an authority of your own: --certificates FILE",
    ),
    "does not match host name": (
        "shows the certificate of another host",
        "see that the name is the cluster's own and leads there",
    ),
    "could not translate host name": _UNKNOWN,
    "failed to resolve host": _UNKNOWN,
    "timeout expired": ("does not answer", _UNREACHED),
    "timed out": ("does not answer", _UNREACHED),
    "Connection refused": ("lets nobody in at this port", _UNREACHED),
    "No route to host": ("cannot be reached", _UNREACHED),
    "Network is unreachable": ("cannot be reached", _UNREACHED),
}
"""By words of libpq what has happened, and what to do: what a server has said comes first, for the
text is of all addresses, and one of them may be IPv6 where there is none."""
