# nmt in a container, which serves the run that is mounted at /model:
#
#     docker build -t nmt .
#     docker run -p 8080:8080 -v "$PWD/runs/demo:/model:ro" -v nmt-cache:/cache nmt
#
# For NVIDIA GPUs: docker build --build-arg EXTRAS=serve,cuda13 -t nmt . ; docker run --gpus all ...
ARG PYTHON=3.12
FROM python:${PYTHON}-slim
ARG EXTRAS=serve

WORKDIR /opt/nmt
COPY pyproject.toml README.md LICENSE ./
COPY configs configs
COPY nmt nmt
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ".[${EXTRAS}]" \
    && useradd --uid 1000 --create-home nmt \
    && mkdir /cache \
    && chown nmt /cache

USER 1000
WORKDIR /home/nmt
ENV XDG_CACHE_HOME=/cache
VOLUME /cache
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10m \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health')"]
ENTRYPOINT ["nmt"]
CMD ["serve", "/model", "--host", "0.0.0.0", "--port", "8080"]
