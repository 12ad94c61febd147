#!/usr/bin/env bash
# What an auditor asks once a month (chapter 5.4), as one line of JSON that the log keeps: policies and what breaks them, whether
# nodes encrypt what they send, whether sidecars know each other, how long logs stay. LOKI. 1 when something is not as it should be.
set -euo pipefail

failed=$(kubectl get policyreports,clusterpolicyreports --all-namespaces --output json |
  jq -c '[.items[].results[]? | select(.result == "fail") | .policy] | group_by(.) | map({(.[0]): length}) | add // {}')
wireguard=$(kubectl --namespace kube-system get configmap cilium-config --output 'jsonpath={.data.enable-wireguard}')
mtls=$(kubectl --namespace dapr-system get configuration daprsystem --output 'jsonpath={.spec.mtls.enabled}')
unsynced=$(kubectl get externalsecrets --all-namespaces --output json |
  jq '[.items[] | select(any(.status.conditions[]?; .type == "Ready" and .status != "True"))] | length')
retention=$(curl -fsS --max-time 60 "$LOKI/config" | sed -n 's/^ *retention_period: *//p' | head -1)
jq -cn --argjson failed "$failed" --arg wireguard "$wireguard" --arg mtls "$mtls" --argjson unsynced "$unsynced" --arg retention "$retention" '
  { job: "compliance-report", policies_broken: $failed, encrypted_between_nodes: ($wireguard == "true"), sidecars_know_each_other: ($mtls == "true"),
    secrets_not_synced: $unsynced, log_retention: $retention }
  | .ok = ($failed == {} and .encrypted_between_nodes and .sidecars_know_each_other and $unsynced == 0 and ($retention == "30d" or $retention == "720h"))' |
  tee /dev/stderr | jq -e .ok >/dev/null
