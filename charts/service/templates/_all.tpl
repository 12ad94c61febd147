{{/* Everything one service needs. Context: dict "root" $ "name" NAME "service" VALUES. */}}
{{- define "service.all" -}}
{{- $values := mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy .service) -}}
{{- $context := dict "root" .root "name" .name "values" $values -}}
{{- range list "serviceaccount" "migration" "deployment" "service" "hpa" "scaledobject" "pdb" "cronjobs" "networkpolicy" "podmonitor" }}
{{- $object := include (printf "service.%s" .) $context }}
{{- if $object | trim }}
---
{{ $object | trim }}
{{- end }}
{{- end }}
{{- end -}}
