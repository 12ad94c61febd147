#!/usr/bin/env bash
# Logs older than thirty days are deleted by Loki's compactor; this sees that they are. LOKI: its address. One line of JSON; 1 when
# a log line is there that should not be.
set -euo pipefail

query='sum(count_over_time({service_name=~".+"}[24h] offset 32d))'
answer=$(curl -fsS --max-time 60 --get "$LOKI/loki/api/v1/query" --data-urlencode "query=$query")
lines=$(jq -r '[.data.result[].value[1] | tonumber] | add // 0' <<<"$answer")
retention=$(curl -fsS --max-time 60 "$LOKI/config" | sed -n 's/^ *retention_period: *//p' | head -1)
jq -cn --arg lines "$lines" --arg retention "$retention" \
  '{job: "log-cleanup", lines_past_retention: ($lines | tonumber), retention: $retention} | .ok = (.lines_past_retention == 0 and (.retention == "30d" or .retention == "720h"))' |
  tee /dev/stderr | jq -e .ok >/dev/null
