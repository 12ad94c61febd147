{{/*
Who may talk to a service's pods, and to whom they may talk. Cilium's kind, because traffic from the Cilium Gateway has
the identity "ingress", which a NetworkPolicy cannot name. Services reach each other only through their sidecars.
*/}}
{{- define "service.networkpolicy" -}}
{{- $network := .root.Values.network }}
{{- if $network.enabled }}
{{- $callers := list }}
{{- range $name, $service := .root.Values.services }}
{{- if has $.name $service.calls }}
{{- $callers = append $callers $name }}
{{- end }}
{{- end }}
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: {{ include "service.fullname" . }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  endpointSelector:
    matchLabels:
      {{- include "service.selector" . | nindent 6 }}
  ingress:
    - fromEntities: [ingress]
      toPorts: [{ ports: [{ port: "8080", protocol: TCP }] }]
    - fromEndpoints:
        - matchLabels: { k8s:io.kubernetes.pod.namespace: {{ $network.observabilityNamespace }} }
      toPorts: [{ ports: [{ port: "9464", protocol: TCP }, { port: "9090", protocol: TCP }] }]
    # Its own sidecars talk to each other too: the runs of an app are spread over its replicas.
    - fromEndpoints:
        {{- range prepend $callers .name | uniq | sortAlpha }}
        - matchLabels: { app.kubernetes.io/name: svc-{{ . }} }
        {{- end }}
      toPorts: [{ ports: [{ port: "50002", protocol: TCP }] }]
  egress:
    - toEndpoints:
        - matchLabels: { k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns }
      # Cilium learns addresses from the answers that it sees; the rules by name below need that.
      toPorts: [{ ports: [{ port: "53", protocol: ANY }], rules: { dns: [{ matchPattern: "*" }] } }]
    - toEndpoints:
        - matchLabels: { k8s:io.kubernetes.pod.namespace: {{ $network.daprNamespace }} }
    - toEndpoints:
        {{- range prepend .values.calls .name | uniq | sortAlpha }}
        - matchLabels: { app.kubernetes.io/name: svc-{{ . }} }
        {{- end }}
      toPorts: [{ ports: [{ port: "50002", protocol: TCP }] }]
    - toEndpoints:
        - matchLabels: { k8s:io.kubernetes.pod.namespace: {{ $network.observabilityNamespace }} }
      toPorts: [{ ports: [{ port: "4317", protocol: TCP }] }]
    # PostgreSQL, Kafka and Valkey: managed, on ports that the provider chooses.
    - toCIDR: {{ toJson $network.dataCidrs }}
    - toFQDNs: [{ matchName: {{ (urlParse .root.Values.operators.jwksUrl).host }} }]
      toPorts: [{ ports: [{ port: "443", protocol: TCP }] }]
    {{- range .values.internet }}
    - toFQDNs: [{ matchName: {{ .host }} }]
      toPorts: [{ ports: [{ port: {{ .port | quote }}, protocol: TCP }] }]
    {{- end }}
    {{- with .values.publicPorts }}
    # Whatever host of the internet a merchant names, and nothing of ours or of the cloud's own.
    - toCIDRSet:
        - cidr: 0.0.0.0/0
          except: [10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 168.63.129.16/32, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
        - cidr: 2000::/3
      toPorts:
        - ports:
            {{- range . }}
            - { port: {{ . | quote }}, protocol: TCP }
            {{- end }}
    {{- end }}
    {{- if .root.Values.vault.enabled }}
    - toEndpoints:
        - matchLabels: { k8s:io.kubernetes.pod.namespace: {{ $network.vaultNamespace }} }
      toPorts: [{ ports: [{ port: "8200", protocol: TCP }] }]
    {{- end }}
{{- end }}
{{- end -}}
