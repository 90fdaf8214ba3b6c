{{/*
What apps have in common in which people run programs: a password where no sign-on stands in front, volumes that are there
already. The charts that have this file have the same; a test says so.
*/}}

{{/*
"true" where the platform's single sign-on stands in front of the app: in a project's namespace, unless everyone may open
it. Elsewhere an app that runs people's code asks for a password of its own.
*/}}
{{- define "app.guarded" -}}
{{- $namespace := lookup "v1" "Namespace" "" .Release.Namespace -}}
{{- if and (ne .Values.access "everyone") (dig "metadata" "labels" "skerry.dev/project" "" $namespace) -}}
true
{{- end -}}
{{- end }}

{{/* That password: made once, the same in every revision. */}}
{{- define "app.password" -}}
{{- if not (include "app.guarded" .) }}
{{- $kept := lookup "v1" "Secret" .Release.Namespace .Release.Name }}
apiVersion: v1
kind: Secret
metadata:
  {{- include "app.metadata" . | nindent 2 }}
data:
  password: {{ dig "data" "password" (randAlphaNum 32 | b64enc) $kept }}
{{- end }}
{{- end }}

{{/* The variable for it, named as the app wants it; or SIGN_IN=platform. (dict "root" . "name" "JUPYTER_TOKEN") */}}
{{- define "app.passwordVariable" -}}
{{- if include "app.guarded" .root -}}
- name: SIGN_IN
  value: platform
{{- else -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .root.Release.Name }}
      key: password
{{- end -}}
{{- end }}

{{/* Where it is, for NOTES. */}}
{{- define "app.passwordNote" -}}
{{- if include "app.guarded" . -}}
Who may open it, after signing in: {{ .Values.access }}.
{{- else -}}
It asks for a password, which is in the Secret {{ .Release.Name }}:
  kubectl get secret -n {{ .Release.Namespace }} {{ .Release.Name }} -o 'jsonpath={.data.password}' | base64 -d
{{- end -}}
{{- end }}

{{/* Volumes that are there already, below /data. */}}
{{- define "app.mounts" -}}
{{- range .Values.mounts }}
{{- $claim := trimSuffix ":ro" . }}
- name: claim-{{ $claim | replace "." "-" }}
  mountPath: /data/{{ $claim }}
  readOnly: {{ hasSuffix ":ro" . }}
{{- end }}
{{- end }}

{{- define "app.volumes" -}}
{{- range .Values.mounts }}
{{- $claim := trimSuffix ":ro" . }}
- name: claim-{{ $claim | replace "." "-" }}
  persistentVolumeClaim:
    claimName: {{ $claim }}
{{- end }}
{{- end }}
