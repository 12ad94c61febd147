{{/* The pod of a job: the service's own executable with a verb. */}}
{{- define "service.jobpod" -}}
metadata:
  labels:
    {{- include "service.labels" . | nindent 4 }}
  annotations:
    {{- include "service.dapr" . | nindent 4 }}
spec:
  {{- include "service.pod" . | nindent 2 }}
  restartPolicy: Never
  containers:
    - {{ include "service.container" . | nindent 6 | trim }}
      args: {{ toJson .args }}
{{- end -}}

{{/* Runs before anything new starts, with its own account: it alone acts as the owner of the schema. */}}
{{- define "service.migration" -}}
{{- $pod := merge (dict "component" "migration" "args" (list "migrate")) . -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "service.fullname" . }}-migrate
  labels:
    {{- include "service.labels" $pod | nindent 4 }}
  annotations:
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/sync-wave: "-1"
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "-1"
    helm.sh/hook-delete-policy: before-hook-creation
automountServiceAccountToken: false
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "service.fullname" . }}-migrate
  labels:
    {{- include "service.labels" $pod | nindent 4 }}
  annotations:
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  backoffLimit: 2
  activeDeadlineSeconds: 600
  template:
    {{- include "service.jobpod" $pod | nindent 4 }}
{{- end -}}

{{- define "service.cronjobs" -}}
{{- range $job, $cron := .values.cron }}
{{- $pod := merge (dict "component" "job" "args" (list "job" $job)) $ }}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "service.fullname" $ }}-{{ $job }}
  labels:
    {{- include "service.labels" $pod | nindent 4 }}
spec:
  schedule: {{ $cron.schedule | quote }}
  timeZone: Etc/UTC
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: {{ $cron.startingDeadlineSeconds }}
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    metadata:
      labels:
        {{- include "service.labels" $pod | nindent 8 }}
    spec:
      backoffLimit: 2
      activeDeadlineSeconds: {{ $cron.activeDeadlineSeconds }}
      template:
        {{- include "service.jobpod" $pod | nindent 8 }}
{{- end }}
{{- end -}}
