{{- define "service.hpa" -}}
{{- if and (lt (int .values.replicas.min) (int .values.replicas.max)) (not .values.replicas.backlog) }}
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

{{/* Where work waits that nobody's processor shows: by what waits, too. KEDA makes the autoscaler. */}}
{{- define "service.scaledobject" -}}
{{- if and (lt (int .values.replicas.min) (int .values.replicas.max)) .values.replicas.backlog }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "service.fullname" . }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { name: {{ include "service.fullname" . }} }
  minReplicaCount: {{ .values.replicas.min }}
  maxReplicaCount: {{ .values.replicas.max }}
  pollingInterval: 30
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: 300
          policies: [{ type: Pods, value: 1, periodSeconds: 60 }]
  triggers:
    # The app alone: an idle sidecar would hide a busy app.
    - type: cpu
      metricType: Utilization
      metadata: { containerName: app, value: {{ .values.replicas.targetCpuPercent | quote }} }
    {{- $job := printf "%s/%s" .root.Release.Namespace (include "service.fullname" .) }}
    {{- range $metric, $perReplica := .values.replicas.backlog }}
    - type: prometheus
      metricType: AverageValue
      metadata:
        serverAddress: {{ $.root.Values.telemetry.prometheus | quote }}
        # Each replica tells the same.
        query: max({{ $metric }}{job="{{ $job }}"})
        threshold: {{ $perReplica | quote }}
    {{- end }}
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
