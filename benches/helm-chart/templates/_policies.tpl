{{- define "policy" }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .name }}
  {{- include "metadata" .scope }}
spec:
  podSelector: {}
{{- end }}

{{- define "peer" }}
{{- if .cidr }}
- ipBlock:
    cidr: {{ .cidr | quote }}
{{- else }}
- namespaceSelector:
    matchLabels:
      {{- if .tenant }}
      tenant.k8s-mtp.io/name: {{ .tenant | quote }}
      {{- else }}
      kubernetes.io/metadata.name: {{ .namespace | quote }}
      {{- end }}
  {{- with .podLabels }}
  podSelector:
    matchLabels:
      {{- toYaml . | nindent 6 }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "policies" }}
{{- $egress := .spec.egress | default dict }}
{{- $ingress := .spec.ingress | default dict }}
{{- include "policy" (dict "name" "tenant-isolation" "scope" .) }}
  policyTypes: [Ingress, Egress]
{{- if eq .state "active" }}
  ingress:
    - from:
        - podSelector: {}
  egress:
    - to:
        - podSelector: {}
{{- include "policy" (dict "name" "tenant-allow-dns" "scope" .) }}
  policyTypes: [Egress]
  egress:
    - ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
      to:
        {{- include "peer" .platform.dns | nindent 8 }}
{{- include "policy" (dict "name" "tenant-allow-platform" "scope" .) }}
  policyTypes: [Ingress]
  ingress:
    {{- range .platform.ingressFrom }}
    - from:
        {{- include "peer" . | nindent 8 }}
      {{- with .ports }}
      ports:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
{{- if $egress.internet }}
{{- include "policy" (dict "name" "tenant-allow-internet" "scope" .) }}
  policyTypes: [Egress]
  egress:
    {{- range .platform.internet }}
    - to:
        - ipBlock:
            {{- toYaml . | nindent 12 }}
    {{- end }}
{{- end }}
{{- if $egress.apiServer }}
{{- include "policy" (dict "name" "tenant-allow-api-server" "scope" .) }}
  policyTypes: [Egress]
  egress:
    - ports:
        - port: 6443
          protocol: TCP
      to:
        - ipBlock:
            cidr: {{ .platform.apiServer }}
{{- end }}
{{- if or $egress.allow $ingress.allow }}
{{- include "policy" (dict "name" "tenant-allow-peers" "scope" .) }}
  policyTypes:
    {{- if $ingress.allow }}
    - Ingress
    {{- end }}
    {{- if $egress.allow }}
    - Egress
    {{- end }}
  {{- with $egress.allow }}
  egress:
    {{- range . }}
    - to:
        {{- include "peer" . | nindent 8 }}
      ports:
        {{- toYaml .ports | nindent 8 }}
    {{- end }}
  {{- end }}
  {{- with $ingress.allow }}
  ingress:
    {{- range . }}
    - from:
        {{- include "peer" . | nindent 8 }}
      ports:
        {{- toYaml .ports | nindent 8 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
