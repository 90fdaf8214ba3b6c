{{- define "dask.probes" -}}
startupProbe: &probe
  httpGet:
    path: /health
    port: http
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: 180
readinessProbe:
  <<: *probe
  periodSeconds: 10
  failureThreshold: 3
livenessProbe:
  <<: *probe
  periodSeconds: 30
  failureThreshold: 5
{{- end }}

{{- define "dask.tmp" -}}
- name: tmp
  emptyDir: {}
{{- end }}
