{{/*
What every app of the catalogue does alike: names, labels, security, address, storage. Each chart has this file in
itself, so that its archive is whole; the original is web-application's, and a test holds the others to it.
*/}}

{{- define "app.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "app.labels" -}}
{{ include "app.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "app.metadata" -}}
name: {{ .Release.Name }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "app.labels" . | nindent 2 }}
{{- end }}

{{- define "app.host" -}}
{{ .Values.host | default (printf "%s.%s.%s" .Release.Name .Release.Namespace .Values.domain) }}
{{- end }}

{{- define "app.url" -}}
{{ if .Values.tls.enabled }}https{{ else }}http{{ end }}://{{ include "app.host" . }}/
{{- end }}

{{/* Beside what a container itself must say, all that Pod Security "restricted" asks for. */}}
{{- define "app.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.runAsUser }}
  runAsGroup: {{ .Values.runAsUser }}
  fsGroup: {{ .Values.runAsUser }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "app.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* Requests are the limits: what is paid for is there, and one app's burst is not another's wait. */}}
{{- define "app.resources" -}}
resources:
  requests: &resources
    cpu: {{ .Values.resources.cpu | quote }}
    memory: {{ .Values.resources.memory | quote }}
  limits: *resources
{{- end }}

{{- define "app.testResources" -}}
resources:
  requests: &resources
    cpu: 50m
    memory: 64Mi
  limits: *resources
{{- end }}

{{- define "app.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "app.metadata" . | nindent 2 }}
spec:
  type: {{ .Values.service.type }}
  selector:
    {{- include "app.selector" . | nindent 4 }}
  ports:
    - name: http
      port: 80
      targetPort: http
      {{- if and (eq .Values.service.type "NodePort") .Values.service.nodePort }}
      nodePort: {{ .Values.service.nodePort }}
      {{- end }}
{{- end }}

{{/* "skerry.dev/access" says who may open the app: the platform's single sign-on stands in front of it. */}}
{{- define "app.ingress" -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "app.metadata" . | nindent 2 }}
  annotations:
    skerry.dev/access: {{ .Values.access }}
    {{- if and .Values.tls.enabled .Values.tls.issuer }}
    cert-manager.io/cluster-issuer: {{ .Values.tls.issuer }}
    {{- end }}
spec:
  {{- if .Values.tls.enabled }}
  tls:
    - hosts: [{{ include "app.host" . | quote }}]
      {{- if .Values.tls.issuer }}
      secretName: {{ .Release.Name }}-tls
      {{- end }}
  {{- end }}
  rules:
    - host: {{ include "app.host" . | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ .Release.Name }}
                port:
                  name: http
{{- end }}

{{/* Kept when the release is uninstalled: an app is made anew in a minute, what people stored in it is not. */}}
{{- define "app.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "app.metadata" . | nindent 2 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  {{- with .Values.storage.className }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .Values.storage.size }}
{{- end }}
