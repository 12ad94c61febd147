{{/*
Who it is for Dapr: secrets, topics and calls are allowed by app id (components/base/config). A migration is somebody else
than the service, because it alone may have the credential of the schema's owner.
*/}}
{{- define "service.appid" -}}
{{ .name }}{{ if eq .component "migration" }}-migrate{{ end }}
{{- end -}}

{{/*
Dapr's annotations. Jobs have the same app id (scopes and secrets hang on it) but no app port: their sidecar delivers
nothing, and as a native sidecar it ends with them.
*/}}
{{- define "service.dapr" -}}
{{- $dapr := .root.Values.dapr -}}
dapr.io/enabled: "true"
dapr.io/app-id: {{ include "service.appid" . }}
{{- if eq .component "service" }}
dapr.io/app-port: "8081"
dapr.io/app-protocol: h2c
dapr.io/enable-app-health-check: "true"
dapr.io/app-health-check-path: /consumerz
dapr.io/app-health-probe-interval: {{ $dapr.appHealth.intervalSeconds | quote }}
dapr.io/app-health-probe-timeout: {{ $dapr.appHealth.timeoutMilliseconds | quote }}
dapr.io/app-health-threshold: {{ $dapr.appHealth.threshold | quote }}
{{- else }}
dapr.io/enable-native-sidecar: "true"
{{- end }}
dapr.io/config: {{ include "service.appid" . }}
dapr.io/app-token-secret: {{ include "service.fullname" . }}-{{ $dapr.appTokenSecret }}
dapr.io/api-token-secret: {{ include "service.fullname" . }}-{{ $dapr.apiTokenSecret }}
dapr.io/disable-builtin-k8s-secret-store: "true"
dapr.io/enable-metrics: "true"
dapr.io/metrics-port: "9090"
dapr.io/log-as-json: "true"
dapr.io/log-level: info
dapr.io/graceful-shutdown-seconds: {{ $dapr.gracefulShutdownSeconds | quote }}
dapr.io/sidecar-cpu-request: {{ $dapr.resources.requests.cpu }}
dapr.io/sidecar-cpu-limit: {{ $dapr.resources.limits.cpu }}
dapr.io/sidecar-memory-request: {{ $dapr.resources.requests.memory }}
dapr.io/sidecar-memory-limit: {{ $dapr.resources.limits.memory }}
dapr.io/sidecar-seccomp-profile-type: RuntimeDefault
{{- with .root.Values.telemetry.otlpEndpoint }}
dapr.io/env: OTEL_EXPORTER_OTLP_ENDPOINT={{ . }},OTEL_EXPORTER_OTLP_PROTOCOL=grpc
{{- end }}
{{- if .root.Values.vault.enabled }}
dapr.io/volume-mounts: vault-token:/vault/secrets,vault-ca:/vault/tls
{{- end }}
{{- end -}}

{{/* Settings that are no secret; secrets come through Dapr's secret store, the two tokens from their Secrets. */}}
{{- define "service.env" -}}
- name: APP_PORT
  value: "8081"
- name: LP_PUBLIC_PORT
  value: "8080"
{{- if eq .component "service" }}
- name: LP_METRICS_PORT
  value: "9464"
{{- end }}
- name: LP_TRUSTED_PROXIES
  value: {{ join "," .root.Values.gateway.trustedProxies | quote }}
- name: LP_OIDC_ISSUER
  value: {{ .root.Values.operators.issuer | quote }}
- name: LP_OIDC_AUDIENCE
  value: {{ .root.Values.operators.audience | quote }}
- name: LP_JWKS
  value: {{ .root.Values.operators.jwksUrl | quote }}
{{- with .root.Values.operators.header }}
- name: LP_OIDC_HEADER
  value: {{ . | quote }}
{{- end }}
{{- with .root.Values.operators.roleClaim }}
- name: LP_OIDC_ROLE_CLAIM
  value: {{ . | quote }}
{{- end }}
{{- with .root.Values.operators.authTimeClaim }}
- name: LP_OIDC_AUTH_TIME_CLAIM
  value: {{ . | quote }}
{{- end }}
{{- with .root.Values.operators.roles }}
{{- $roles := list }}
{{- range $address, $role := . }}
{{- $roles = append $roles (printf "%s=%s" $address $role) }}
{{- end }}
- name: LP_OIDC_ROLES
  value: {{ join "," $roles | quote }}
{{- end }}
{{- with .root.Values.telemetry.otlpEndpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: deployment.environment.name={{ .root.Values.environment }}
- name: APP_API_TOKEN
  valueFrom: { secretKeyRef: { name: {{ include "service.fullname" . }}-{{ .root.Values.dapr.appTokenSecret }}, key: token } }
- name: DAPR_API_TOKEN
  valueFrom: { secretKeyRef: { name: {{ include "service.fullname" . }}-{{ .root.Values.dapr.apiTokenSecret }}, key: token } }
{{- range $name, $value := .values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "service.container" -}}
name: app
image: {{ include "service.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
env:
  {{- include "service.env" . | nindent 2 }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities: { drop: [ALL] }
volumeMounts:
  - { name: tmp, mountPath: /tmp }
{{- end -}}

{{/* The part of a pod that services, jobs and migrations share. */}}
{{- define "service.pod" -}}
serviceAccountName: {{ include "service.fullname" . }}{{ if eq .component "migration" }}-migrate{{ end }}
automountServiceAccountToken: false
{{- with .root.Values.priorityClassPrefix }}
priorityClassName: {{ . }}{{ lower $.values.criticality }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1654
  runAsGroup: 1654
  fsGroup: 1654
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: { sizeLimit: 64Mi }
  {{- if .root.Values.vault.enabled }}
  - name: vault-token
    secret: { secretName: svc-{{ include "service.appid" . }}-vault-token }
  - name: vault-ca
    secret: { secretName: {{ .root.Values.vault.caSecret }} }
  {{- end }}
{{- end -}}
