{{/*
Every template takes one dict, made by service.all:
  root     the umbrella's own context ($)
  name     the Dapr app id and the folder under services/
  values   the service's values over .Values.defaults
  component (labels and pods only) service, migration or job
*/}}
{{- define "service.fullname" -}}svc-{{ .name }}{{- end -}}

{{/* What a selector may hold: nothing that changes with a release. */}}
{{- define "service.selector" -}}
app.kubernetes.io/name: {{ include "service.fullname" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- define "service.labels" -}}
{{ include "service.selector" . }}
app.kubernetes.io/component: {{ .component | default "service" }}
app.kubernetes.io/part-of: localplus
app.kubernetes.io/version: {{ .root.Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
localplus.io/owner: {{ .values.owner }}
localplus.io/criticality: {{ .values.criticality }}
localplus.io/data-class: {{ .values.dataClass }}
{{- end -}}

{{- define "service.image" -}}
{{- $image := .root.Values.image -}}
{{- if .values.digest -}}
{{ $image.registry }}/svc-{{ .name }}@{{ .values.digest }}
{{- else -}}
{{ $image.registry }}/svc-{{ .name }}:{{ $image.tag }}
{{- end -}}
{{- end -}}
