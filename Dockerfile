FROM python:3.12-slim-bookworm AS libraries
COPY requirements.lock .
RUN python -m venv /opt/hub && /opt/hub/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.12-slim-bookworm
ENV PATH=/opt/hub/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HUB_HOST=0.0.0.0 \
    HUB_DATA_DIR=/data \
    HUB_LOG_FORMAT=json
RUN useradd --uid 10001 --create-home --home-dir /home/hub hub && install --directory --owner=hub --mode=0700 /data
COPY --from=libraries /opt/hub /opt/hub
WORKDIR /srv/hub
COPY . .
RUN python -m compileall -q hub appeals marketplaces
USER hub
VOLUME /data
EXPOSE 8000
# Alone, the image is the whole hub on SQLite; docker-compose.yml gives each part a container of its own.
CMD ["python", "manage.py", "up"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('HUB_PORT', 8000)}/healthz\", timeout=4)"]
