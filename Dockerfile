# One image for the dispatcher, every worker and the docpipe command; docker-compose.yml says who runs what.

FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/docpipe
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY docpipe docpipe
COPY workers workers
COPY schemas schemas
# Wheels only, so that no compiler is needed here either.
RUN /opt/docpipe/bin/pip install --no-cache-dir --only-binary :all: --constraint constraints.txt '.[queue,tesseract,otel,api]'

FROM python:3.12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tesseract-ocr-eng tesseract-ocr-kor \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/docpipe --no-create-home --shell /usr/sbin/nologin docpipe \
    && install --directory --owner docpipe --group docpipe --mode 0750 /var/lib/docpipe /var/lib/docpipe/store /var/cache/docpipe
COPY --from=build /opt/docpipe /opt/docpipe
ENV PATH=/opt/docpipe/bin:$PATH \
    HOME=/var/lib/docpipe \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    DOCPIPE_STORE=/var/lib/docpipe/store \
    DOCPIPE_CACHE=/var/cache/docpipe
USER docpipe
WORKDIR /var/lib/docpipe
CMD ["docpipe", "--help"]
