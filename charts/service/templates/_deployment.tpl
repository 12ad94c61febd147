{{- define "service.deployment" -}}
{{- $pod := merge (dict "component" "service") . -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "service.fullname" . }}
  labels:
    {{- include "service.labels" $pod | nindent 4 }}
spec:
  {{- if eq (int .values.replicas.min) (int .values.replicas.max) }}
  replicas: {{ .values.replicas.min }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels:
      {{- include "service.selector" . | nindent 6 }}
      app.kubernetes.io/component: service
  template:
    metadata:
      labels:
        {{- include "service.labels" $pod | nindent 8 }}
      annotations:
        {{- include "service.dapr" $pod | nindent 8 }}
    spec:
      {{- include "service.pod" $pod | nindent 6 }}
      terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
      # Over zones first, then over nodes; by the release, so that the old pods of an update do not count.
      topologySpreadConstraints:
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          matchLabelKeys: [pod-template-hash]
          labelSelector:
            matchLabels:
              {{- include "service.selector" $ | nindent 14 }}
              app.kubernetes.io/component: service
        {{- end }}
      containers:
        - {{ include "service.container" $pod | nindent 10 | trim }}
          ports:
            - { name: http, containerPort: 8080 }
            - { name: dapr, containerPort: 8081 }
            - { name: metrics, containerPort: 9464 }
          # Says only whether the process is worth keeping: no dependency can make it fail.
          livenessProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 10
            timeoutSeconds: 2
            failureThreshold: 3
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
            timeoutSeconds: 2
            failureThreshold: 2
          startupProbe:
            httpGet: { path: /startupz, port: http }
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 60
          # The gateway needs a moment to see that this pod is leaving.
          lifecycle:
            preStop: { sleep: { seconds: 5 } }
{{- end -}}
