# One image for every service of docker-compose.yml, from this repository's lock file.
FROM python:3.12-slim-bookworm AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /opt/mobility
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-dev --extra celery --no-install-project
COPY plugins ./plugins
RUN uv sync --frozen --no-dev --extra celery

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 50000 --create-home --home-dir /home/mobility mobility \
    && install -d -o mobility -g mobility /var/lib/mobility /opt/airflow /opt/airflow/logs
WORKDIR /opt/mobility
COPY --from=build /opt/mobility /opt/mobility
COPY dags ./dags
COPY dbt_project ./dbt_project
COPY expectations ./expectations
COPY snapshot ./snapshot
COPY deployment ./deployment
ENV PATH=/opt/mobility/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MOBILITY_HOME=/var/lib/mobility \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/mobility/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/mobility/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    AIRFLOW__COSMOS__ENABLE_TELEMETRY=False \
    AIRFLOW__COSMOS__ENABLE_MEMORY_OPTIMISED_IMPORTS=True \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    GX_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1
USER mobility
EXPOSE 8080
CMD ["airflow", "version"]
