{{- define "service.hpa" -}}
{{- if lt (int .values.replicas.min) (int .values.replicas.max) }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "service.fullname" . }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "service.fullname" . }} }
  minReplicas: {{ .values.replicas.min }}
  maxReplicas: {{ .values.replicas.max }}
  metrics:
    # The app alone: an idle sidecar would hide a busy app.
    - type: ContainerResource
      containerResource:
        name: cpu
        container: app
        target: { type: Utilization, averageUtilization: {{ .values.replicas.targetCpuPercent }} }
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 300
      policies: [{ type: Pods, value: 1, periodSeconds: 60 }]
{{- end }}
{{- end -}}

{{- define "service.pdb" -}}
{{- with .values.minAvailable }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "service.fullname" $ }}
  labels:
    {{- include "service.labels" $ | nindent 4 }}
spec:
  minAvailable: {{ . }}
  # A pod that is not ready protects nobody: it may always be evicted.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "service.selector" $ | nindent 6 }}
      app.kubernetes.io/component: service
{{- end }}
{{- end -}}
