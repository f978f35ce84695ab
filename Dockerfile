# syntax=docker/dockerfile:1
# One image for every part of Breakout: what runs is the command.

# By digest, which decides; of 3.13.9, for every platform.
FROM python:3.13-slim-bookworm@sha256:b685a4fa58bb19d1814d78a1ec0f0208f351452724f78b20212c984d6e124a34 AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/breakout && python -m venv /opt/build
COPY requirements.lock requirements-build.lock ./
RUN /opt/build/bin/pip install --require-hashes --only-binary=:all: -r requirements-build.lock
# What the extra `server` needs: the image has a Kafka and a ClickHouse to talk to.
RUN /opt/breakout/bin/pip install --require-hashes --only-binary=:all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY breakout breakout
COPY collectors collectors
COPY streams streams
COPY api api
COPY sql sql
# The project has no dependency that the lock lacks; the build backend stays in this stage.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
    && /opt/breakout/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /opt/breakout/bin/pip uninstall --yes pip

FROM python:3.13-slim-bookworm@sha256:b685a4fa58bb19d1814d78a1ec0f0208f351452724f78b20212c984d6e124a34
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin breakout
COPY --from=build /opt/breakout /opt/breakout
ENV PATH=/opt/breakout/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BREAKOUT_LOG_FORMAT=json \
    BREAKOUT_METRICS_HOST=0.0.0.0 \
    BREAKOUT_METRICS_PORT=9464
USER breakout
WORKDIR /tmp
EXPOSE 9464
# Every part that stays up serves its metrics; one that cannot is not healthy.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:9464/metrics', timeout=4)"]
ENTRYPOINT ["breakout"]
CMD ["--help"]
