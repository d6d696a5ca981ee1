"""What ECS and the programs in its tasks say when something lacks, and what it means."""

_OF_ECS = {
    "RESOURCE:ENI": "no instance has a network interface left for a task: more instances,"
    " or larger ones, or ENI trunking before they start (dsql-deploy check ENV)",
    "RESOURCE:CPU": "no instance has the CPU left that a task asks for: dsql-deploy check ENV",
    "RESOURCE:MEMORY": "no instance has the memory left that a task asks for: dsql-deploy "
    "check ENV",
    "No Container Instances were found": "no instance has registered with the cluster: see its "
    "Auto Scaling group",
    "Capacity is unavailable": "AWS has none of these instances just now",
    "CannotPullContainerError": "the image is not there, or cannot be reached: dsql-deploy images "
    "push ENV",
    "unable to pull secrets": "a secret or parameter is not there, or the execution role may not "
    "read it: dsql-deploy secret show ENV",
    "OutOfMemory": "a container has taken more memory than it is given",
    "failed container health checks": "a container runs and does not become healthy: see its log",
    "failed ELB health checks": "the load balancer does not reach it: see the security groups",
}
"""Amazon ECS developer guide, service event messages and stopped tasks error messages."""
_OF_LOGS = {
    "no usable database connection found": "the database is not reached: its cause is in the lines "
    "`the database cannot be used` and `unable to refresh database connection pool`",
    "the database cannot be used": "the database is not reached, for the cause that its line has",
    "rate exceeded. (SQLSTATE 53400)": "DSQL refuses connections: too many are opened a second",
    "(SQLSTATE 53300)": "DSQL refuses connections: too many are open",
    "access denied": "the database refuses who asks: the task role lacks dsql:DbConnectAdmin (or "
    "dsql:DbConnect), or the token is for another region or endpoint: dsql-deploy check ENV",
    "get fresh DSQL token": "no token for DSQL can be made: the task role gives no credentials",
    "(SQLSTATE 3D000)": "the database has no database of this name: on DSQL it is `postgres`",
    "(SQLSTATE 42P01)": "a table lacks: dsql-deploy schema setup ENV --as-task",
    "sql schema version compatibility check failed: version mismatch": "the schema is older than "
    "the server wants: dsql-deploy schema upgrade ENV --as-task",
    "the visibility cannot be used": "OpenSearch is not reached, or lacks something, for the cause "
    "that its line has",
    "has no index ": "the index is gone: dsql-deploy visibility setup ENV --as-task",
    "index_not_found_exception": "the index is gone: dsql-deploy visibility setup ENV --as-task",
    "no such index": "the index is gone: dsql-deploy visibility setup ENV --as-task",
    "a variable is refused": "its configuration is wrong: the line names the variable",
    "unknown plugin": "its configuration is wrong: this server has no such plugin for its store",
    "Unable to load configuration": "its configuration is wrong: the line says where",
    "unable to bootstrap ringpop": "the members do not reach each other's membership ports: see "
    "the security groups: dsql-deploy check ENV",
}
"""temporal-server 1.32, its plugin for DSQL, and the runtime of this project's images."""
_ALL = {**_OF_ECS, **_OF_LOGS}


def of(text: str) -> list[str]:
    """What the sentences in a text mean, each once."""
    return list(dict.fromkeys(meaning for words, meaning in _ALL.items() if words in text))


def tells(line: str) -> bool:
    """Whether a line of a log says what lacks."""
    return any(words in line for words in _OF_LOGS)
