#!/bin/sh
# Run once by the image of PostgreSQL, on an empty volume: the two databases and their logins.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set airflow_password="$AIRFLOW_DB_PASSWORD" \
    --set warehouse_password="$WAREHOUSE_DB_PASSWORD" <<'SQL'
create role airflow login password :'airflow_password';
create database airflow owner airflow encoding 'UTF8' template template0;
-- The warehouse's login deploys: it creates the roles that its tasks then act as.
create role warehouse login createrole password :'warehouse_password';
create database warehouse owner warehouse encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8' template template0;
revoke all on database airflow, warehouse from public;
SQL
