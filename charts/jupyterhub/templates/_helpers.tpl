{{/* The person that `helm test` makes and removes again; nobody else may have the name. */}}
{{- define "hub.tester" -}}
helm-test
{{- end }}

{{- define "hub.part" -}}
{{- $metadata := include "app.metadata" .root | fromYaml -}}
name: {{ .root.Release.Name }}-{{ .part }}
{{ omit $metadata "name" | toYaml }}
{{- end }}

{{/* What jupyterhub_config.py reads. */}}
{{- define "hub.settings" -}}
{{- $mounts := include "app.mounts" . | fromYamlArray }}
{{- $volumes := include "app.volumes" . | fromYamlArray }}
{{- dict
  "release" .Release.Name "tester" (include "hub.tester" .) "guarded" (eq "true" (include "app.guarded" .))
  "admins" .Values.admins "idleMinutes" .Values.idleMinutes "image" .Values.serverImage "runAsUser" .Values.runAsUser
  "resources" .Values.server "storage" .Values.storage "volumes" $volumes "mounts" $mounts
  "env" .Values.env "envFromSecret" .Values.envFromSecret
  | toPrettyJson }}
{{- end }}
