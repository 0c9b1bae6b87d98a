ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
WORKDIR /opt/intresse
COPY requirements.txt ./
# Locked with hashes, wheels only, as `make setup` does it: the image runs what the tests ran.
RUN python -m venv --without-pip venv && \
    pip --python venv/bin/python --disable-pip-version-check install --quiet --no-cache-dir \
        --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml ./
COPY locale locale
COPY templates templates
COPY static static
COPY app app
# Compiled here, because the file system is read-only where it runs.
RUN pip --python venv/bin/python --disable-pip-version-check install --quiet --no-cache-dir --no-deps \
        --no-build-isolation --no-index -e . && \
    rm requirements.txt && \
    venv/bin/python -m compileall -q --invalidation-mode unchecked-hash app && \
    venv/bin/python -m app.web.rendering.precompile

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Intresse" \
      org.opencontainers.image.description="Lead capture for Swedish estate brokers"
# Two malloc arenas instead of eight a core: threads wait for disks here, they don't compete for memory.
ENV PATH=/opt/intresse/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    INTRESSE_CONFIG=/etc/intresse/intresse.toml
RUN mkdir -m 700 /data && chown 10001:10001 /data
COPY --from=build /opt/intresse /opt/intresse
# All that is ever written, SQLite's database above all: `data/…` in the configuration.
VOLUME /data
WORKDIR /
# A number, which Kubernetes' runAsNonRoot can check.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=40s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["intresse"]
CMD ["serve", "--host", "0.0.0.0"]
