"""DynamoDB: the key of a table that exists, which moto can give only to a new one."""

from typing import Any

from moto.dynamodb.responses import DynamoHandler

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, wrap


@wrap(DynamoHandler)
def update_table(original: Method, self: DynamoHandler) -> Any:
    """Keep the key, without which every plan would set it again."""
    if specification := self.body.get("SSESpecification"):
        self.dynamodb_backend.get_table(self.body["TableName"]).sse_specification = specification
    return original(self)
