# One image for web, worker and beat.
FROM python:3.11-slim AS app
WORKDIR /app
ENV PYTHONUNBUFFERED=1 PATH="/app/.venv/bin:$PATH"
COPY requirements/app.txt requirements/app.txt
RUN python -m venv .venv && pip install --no-cache-dir --require-hashes -r requirements/app.txt
COPY package.json package-lock.json .npmrc ./
RUN npm ci --silent
COPY . .
# Hashed names and compression are for an https address, so collectstatic is told one.
RUN python -m shielding.frontend \
    && SERVICE_URL=https://build.invalid SECRET_KEY=build \
       python -m django collectstatic --noinput --settings shielding.settings \
    && useradd --system --create-home shielding \
    && mkdir -p /data && chown shielding /data
USER shielding
ENV SHIELDING_DATA=/data
EXPOSE 8000
CMD ["gunicorn", "shielding.wsgi", "--bind", "0.0.0.0:8000", "--workers", "4", "--threads", "4", "--access-logfile", "-"]
