{{/*
What Prometheus fetches: the service's own metrics and its sidecar's, under the names of the jobs that `up --observe` has too
(localplus/svc-NAME, which is the operator's name for this object, and dapr/svc-NAME), so the same rules hold for both.
*/}}
{{- define "service.podmonitor" -}}
{{- if .root.Values.telemetry.podMonitors }}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ include "service.fullname" . }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  selector:
    matchLabels:
      {{- include "service.selector" . | nindent 6 }}
      app.kubernetes.io/component: service
  podMetricsEndpoints:
    - port: metrics
      path: /metrics
    - port: dapr-metrics
      path: /
      relabelings:
        - { targetLabel: job, replacement: dapr/{{ include "service.fullname" . }} }
{{- end }}
{{- end -}}
