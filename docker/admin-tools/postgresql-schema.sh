#!/bin/sh
# Give a PostgreSQL both databases of a cluster, with the schema of the tool's own version. What is
# there stays: run again, it brings both to that version.
set -eu

tool() {
    database=$1
    shift
    temporal-sql-tool --plugin postgres12_pgx --endpoint "$TEMPORAL_SQL_HOST" \
        --port "${TEMPORAL_SQL_PORT:-5432}" --user "$TEMPORAL_SQL_USER" --database "$database" "$@"
}

# Not on a command line, where every process of the host could read it.
if [ -n "${TEMPORAL_SQL_PASSWORD_FILE:-}" ]; then
    SQL_PASSWORD=$(cat "$TEMPORAL_SQL_PASSWORD_FILE")
    export SQL_PASSWORD
fi

for pair in "$TEMPORAL_SQL_DATABASE temporal" "$TEMPORAL_VISIBILITY_SQL_DATABASE visibility"; do
    name=${pair% *}
    tool "$name" create-database
    tool "$name" setup-schema --version 0.0
    tool "$name" update-schema --schema-name "postgresql/v12/${pair#* }"
done
