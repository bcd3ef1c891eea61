#!/bin/sh
# Run before the services, at every start: brings both databases to this image's version. Idempotent.
set -eu
airflow db migrate
mobility deploy
pools=$(mktemp --suffix .json)
mobility pools > "$pools"
airflow pools import "$pools"
# An existing user keeps their password.
airflow users create --role Admin --username "$AIRFLOW_ADMIN_USER" --password "$AIRFLOW_ADMIN_PASSWORD" \
    --email "$AIRFLOW_ADMIN_EMAIL" --firstname Warehouse --lastname Administrator
