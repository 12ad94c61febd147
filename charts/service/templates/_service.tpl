{{- define "service.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "service.fullname" . }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  selector:
    {{- include "service.selector" . | nindent 4 }}
    app.kubernetes.io/component: service
  # Only the public port: what comes from Dapr reaches the app inside its pod.
  ports:
    - { name: http, port: 8080, targetPort: http, appProtocol: http }
{{- end -}}

{{- define "service.serviceaccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "service.fullname" . }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}
