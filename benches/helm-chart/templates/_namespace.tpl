{{- define "metadata" }}
  labels:
    app.kubernetes.io/managed-by: k8s-mtp
    app.kubernetes.io/part-of: k8s-mtp
    tenant.k8s-mtp.io/name: {{ .tenant | quote }}
  namespace: {{ .namespace | quote }}
{{- end }}

{{- define "namespace" }}
---
apiVersion: v1
kind: Namespace
metadata:
  name: {{ .namespace | quote }}
  annotations:
    argocd.argoproj.io/sync-options: Prune=confirm,Delete=confirm
    kustomize.toolkit.fluxcd.io/prune: disabled
    tenant.k8s-mtp.io/owner-email: {{ .spec.ownerEmail | quote }}
  labels:
    app.kubernetes.io/managed-by: k8s-mtp
    app.kubernetes.io/part-of: k8s-mtp
    {{- range $mode := list "enforce" "audit" "warn" }}
    pod-security.kubernetes.io/{{ $mode }}: {{ $.platform.podSecurity.level }}
    pod-security.kubernetes.io/{{ $mode }}-version: {{ $.platform.podSecurity.version }}
    {{- end }}
    tenant.k8s-mtp.io/name: {{ .tenant | quote }}
    tenant.k8s-mtp.io/tier: {{ .tierName | quote }}
    {{- if ne .state "active" }}
    tenant.k8s-mtp.io/state: {{ .state }}
    {{- end }}
    {{- with .spec.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "quota" }}
{{- $quota := .tier.quota }}
{{- $cpu := .quota.cpu | default $quota.cpu }}
{{- $memory := .quota.memory | default $quota.memory }}
---
apiVersion: v1
kind: ResourceQuota
metadata:
  name: tenant-quota
  {{- include "metadata" . }}
spec:
  hard:
    requests.cpu: {{ $cpu | quote }}
    limits.cpu: {{ $cpu | quote }}
    requests.memory: {{ $memory | quote }}
    limits.memory: {{ $memory | quote }}
    requests.storage: {{ .quota.storage | default $quota.storage | quote }}
    pods: {{ ternary "0" (.quota.pods | default $quota.pods | toString) (eq .state "suspended") | quote }}
    services.nodeports: {{ $quota.nodePorts | quote }}
    {{- range $resource, $count := $quota.objects }}
    {{ $resource }}: {{ ternary ($count | toString) (include "thousands" $count) (lt ($count | int) 1000) | quote }}
    {{- end }}
{{- end }}

{{- /* As the API server writes a number: 1000 is 1k. */}}
{{- define "thousands" }}
{{- if eq (mod (. | int) 1000) 0 }}{{ div (. | int) 1000 }}k{{ else }}{{ . }}{{ end }}
{{- end }}

{{- define "limits" }}
---
apiVersion: v1
kind: LimitRange
metadata:
  name: tenant-defaults
  {{- include "metadata" . }}
spec:
  limits:
    - type: Container
      default:
        {{- toYaml .tier.limitRange.container.default | nindent 8 }}
      defaultRequest:
        {{- toYaml .tier.limitRange.container.defaultRequest | nindent 8 }}
{{- end }}

{{- define "account" }}
---
apiVersion: v1
kind: ServiceAccount
automountServiceAccountToken: false
metadata:
  name: default
  {{- include "metadata" . }}
{{- with .spec.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
