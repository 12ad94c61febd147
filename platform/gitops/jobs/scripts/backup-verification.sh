#!/usr/bin/env bash
# Is there a backup of the last two hours, and was none empty? Asks Aiven, which makes them hourly; that one can be restored is
# shown by `./localplus drill pitr` and by a fork once a quarter. PROJECT, SERVICE, AIVEN_TOKEN. One line of JSON; 1 when not.
set -euo pipefail

answer=$(curl -fsS --max-time 60 -H @- "https://api.aiven.io/v1/project/$PROJECT/service/$SERVICE" <<<"authorization: aivenv1 $AIVEN_TOKEN")
now=${NOW:-$(date +%s)}
jq -c --argjson now "$now" '
  .service.backups as $backups
  | ($backups | map(.backup_time | sub("\\.[0-9]+"; "") | fromdateiso8601) | max // 0) as $newest
  | { job: "backup-verification", service: .service.service_name, backups: ($backups | length), newest_age_s: ($now - $newest),
      smallest_bytes: ($backups | map(.data_size) | min // 0) }
  | .ok = (.newest_age_s <= 7200 and .smallest_bytes > 0 and .backups >= 24)' <<<"$answer" |
  tee /dev/stderr | jq -e .ok >/dev/null
