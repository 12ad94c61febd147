{{- define "observability.labels" -}}
app.kubernetes.io/part-of: observability
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Whoever is changed by a file starts again when it changes. */}}
{{- define "observability.sum" -}}
{{- $text := "" -}}
{{- range $path, $bytes := .Files.Glob "collector/*.yaml" -}}
{{- $text = printf "%s%s" $text $bytes -}}
{{- end -}}
{{ $text | sha256sum | trunc 16 }}
{{- end -}}
