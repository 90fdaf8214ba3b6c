{{- define "postgresql.metadata" -}}
name: {{ .root.Release.Name }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "app.labels" .root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
{{- end }}

{{- define "postgresql.claimSpec" -}}
accessModes: [ReadWriteOnce]
{{- with .root.Values.storage.className }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
{{- end }}

{{- define "postgresql.fromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .root.Release.Name }}
      key: {{ .key }}
{{- end }}

{{/* The container of primary and replicas: a dict of root, script, and env: more of its environment. */}}
{{- define "postgresql.container" -}}
- name: postgresql
  image: {{ .root.Values.image | quote }}
  imagePullPolicy: IfNotPresent
  command: [sh, /scripts/{{ .script }}]
  env:
    - name: MEMORY_MIB
      valueFrom:
        resourceFieldRef:
          containerName: postgresql
          resource: limits.memory
          divisor: 1Mi
    {{- include "postgresql.fromSecret" (dict "root" .root "name" "POSTGRES_REPLICATION_PASSWORD" "key" "replication-password") | nindent 4 }}
    {{- .env | nindent 4 }}
  ports:
    - name: postgresql
      containerPort: 5432
  startupProbe:
    exec:
      command: [pg_isready, --quiet, --host=/run/postgresql, --username=postgres]
    periodSeconds: 1
    timeoutSeconds: 5
    # a day: after a crash, or before it is restored, a large database takes its time
    failureThreshold: 86400
  readinessProbe:
    exec:
      command: [pg_isready, --quiet, --host=/run/postgresql, --username=postgres]
    periodSeconds: 10
    timeoutSeconds: 5
  livenessProbe:
    exec:
      # 2: nobody answers; 1: it is busy beginning or ending
      command: [sh, -c, "pg_isready --quiet --host=/run/postgresql --username=postgres; [ $? -ne 2 ]"]
    periodSeconds: 30
    timeoutSeconds: 10
    failureThreshold: 5
  lifecycle:
    preStop:
      exec:
        # the signal that ends pods would have PostgreSQL wait for those who are connected
        command: [pg_ctl, stop, --pgdata=/data/pg, --mode=fast, --no-wait, --silent]
  {{- include "app.resources" .root | nindent 2 }}
  {{- include "app.containerSecurity" .root | nindent 2 }}
  volumeMounts:
    - name: data
      mountPath: /data
    - name: scripts
      mountPath: /scripts
      readOnly: true
    - name: config
      mountPath: /config
      readOnly: true
    - name: run
      mountPath: /run/postgresql
    - name: tmp
      mountPath: /tmp
    - name: shm
      mountPath: /dev/shm
    {{- if and .root.Values.backups.enabled (eq .script "primary.sh") }}
    - name: backups
      mountPath: /backups
      readOnly: true
    {{- end }}
{{- end }}

{{/* What both mount beside their data. */}}
{{- define "postgresql.volumes" -}}
- name: scripts
  configMap:
    name: {{ .Release.Name }}-scripts
- name: config
  configMap:
    name: {{ .Release.Name }}-config
- name: run
  emptyDir: {}
- name: tmp
  emptyDir: {}
# memory that parallel queries share: more than the 64 MiB that containers have
- name: shm
  emptyDir:
    medium: Memory
    sizeLimit: 256Mi
{{- end }}

{{/* Pods begin anew when what they read at their start is another. */}}
{{- define "postgresql.checksums" -}}
skerry.dev/config: {{ include (print $.Template.BasePath "/config.yaml") . | sha256sum }}
skerry.dev/password: {{ .Values.password | sha256sum }}
{{- end }}

{{/* The environment of a client, as libpq reads it. */}}
{{- define "postgresql.client" -}}
- name: PGHOST
  value: {{ .Release.Name }}
{{ include "postgresql.fromSecret" (dict "root" . "name" "PGDATABASE" "key" "database") }}
{{- end }}

{{- define "postgresql.smallResources" -}}
resources:
  requests: &resources
    cpu: 250m
    memory: 128Mi
  limits: *resources
{{- end }}
