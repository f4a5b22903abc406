#!/usr/bin/env bash
# Makes the owner (used by migrate alone) and the application's role, which owns nothing.
set -euo pipefail
psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 \
    --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" <<'SQL'
CREATE ROLE shielding_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE shielding_app LOGIN PASSWORD :'app_password';
ALTER ROLE shielding_app SET max_parallel_workers_per_gather = 0;
CREATE DATABASE shielding OWNER shielding_owner;
SQL
