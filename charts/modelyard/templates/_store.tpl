{{- define "modelyard.storeEndpoint" -}}
{{- if .Values.config.store.endpoint -}}
{{ .Values.config.store.endpoint }}
{{- else if .Values.embeddedStore.enabled -}}
http://modelyard-store.{{ .Release.Namespace }}.svc.cluster.local:8333
{{- end }}
{{- end }}

{{- define "modelyard.writerSecret" -}}
{{ .Values.store.existingSecrets.writer | default .Values.config.store.writerSecret }}
{{- end }}

{{- define "modelyard.readerSecret" -}}
{{ .Values.store.existingSecrets.reader | default .Values.config.store.readerSecret }}
{{- end }}

{{/* The recorders' own keys; with a store of one's own and no Secret for them, those that write. */}}
{{- define "modelyard.recorderSecret" -}}
{{- if .Values.store.existingSecrets.recorder -}}
{{ .Values.store.existingSecrets.recorder }}
{{- else if .Values.embeddedStore.enabled -}}
modelyard-store-recorder
{{- else -}}
{{ include "modelyard.writerSecret" . }}
{{- end -}}
{{- end }}

{{/* The evaluator's own, likewise. */}}
{{- define "modelyard.evaluatorSecret" -}}
{{- if .Values.store.existingSecrets.evaluator -}}
{{ .Values.store.existingSecrets.evaluator }}
{{- else if .Values.embeddedStore.enabled -}}
modelyard-store-evaluator
{{- else -}}
{{ include "modelyard.writerSecret" . }}
{{- end -}}
{{- end }}

{{/* Credentials of one identity of the embedded store, as YAML: those of the Secret that is there, else new
     ones. They are remembered while the chart renders, because two Secrets of one rendering hold them. */}}
{{- define "modelyard.storeKeys" -}}
{{- $made := get .root "storeKeys" | default dict -}}
{{- if not (hasKey $made .secret) -}}
{{- $found := (lookup "v1" "Secret" .root.Release.Namespace .secret).data | default dict -}}
{{- $id := get $found "accessKeyId" | b64dec | default (randAlphaNum 20 | upper) -}}
{{- $key := get $found "secretAccessKey" | b64dec | default (randAlphaNum 40) -}}
{{- $_ := set $made .secret (dict "accessKeyId" $id "secretAccessKey" $key) -}}
{{- $_ := set .root "storeKeys" $made -}}
{{- end -}}
{{- get $made .secret | toYaml -}}
{{- end }}

{{- define "modelyard.storeSecret" -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .secret }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "modelyard.labels" (dict "root" .root "component" "store") | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
type: Opaque
stringData: {{- include "modelyard.storeKeys" . | nindent 2 }}
{{- end }}

{{/* What SeaweedFS lets each identity do, as its s3.json. Write alone cannot make the bucket: admin does. The
     recorders, which read what strangers send, write below monitor/ and feedback/ and read builds alone; the evaluator
     reads what they wrote. */}}
{{- define "modelyard.storeIdentities" -}}
{{- $bucket := .Values.config.store.bucket -}}
{{- $identities := list -}}
{{- range $name, $verbs := dict "admin" (list "Admin") "reader" (list "Read" "List") "writer" (list "Read" "List" "Tagging" "Write") -}}
{{- $secret := get (dict "writer" $.Values.config.store.writerSecret "reader" $.Values.config.store.readerSecret) $name | default (printf "modelyard-store-%s" $name) -}}
{{- $keys := include "modelyard.storeKeys" (dict "root" $ "secret" $secret) | fromYaml -}}
{{- $actions := list -}}
{{- range $verbs }}{{ $actions = append $actions (printf "%s:%s" . $bucket) }}{{ end -}}
{{- $credentials := list (dict "accessKey" $keys.accessKeyId "secretKey" $keys.secretAccessKey) -}}
{{- $identities = append $identities (dict "name" $name "credentials" $credentials "actions" $actions) -}}
{{- end -}}
{{- if .Values.recorder.replicas -}}
{{- $keys := include "modelyard.storeKeys" (dict "root" $ "secret" (include "modelyard.recorderSecret" .)) | fromYaml -}}
{{- $credentials := list (dict "accessKey" $keys.accessKeyId "secretKey" $keys.secretAccessKey) -}}
{{- $actions := list (printf "Read:%s/builds/*" $bucket) (printf "List:%s/monitor/*" $bucket) (printf "Write:%s/monitor/*" $bucket) (printf "List:%s/feedback/*" $bucket) (printf "Write:%s/feedback/*" $bucket) -}}
{{- $identities = append $identities (dict "name" "recorder" "credentials" $credentials "actions" $actions) -}}
{{- $keys = include "modelyard.storeKeys" (dict "root" $ "secret" (include "modelyard.evaluatorSecret" .)) | fromYaml -}}
{{- $credentials = list (dict "accessKey" $keys.accessKeyId "secretKey" $keys.secretAccessKey) -}}
{{- $actions = list (printf "Read:%s/builds/*" $bucket) -}}
{{- range list "Read:%s/monitor/*" "List:%s/monitor/*" "Write:%s/monitor/*" "Read:%s/feedback/*" "List:%s/feedback/*" }}{{ $actions = append $actions (printf . $bucket) }}{{ end -}}
{{- $identities = append $identities (dict "name" "evaluator" "credentials" $credentials "actions" $actions) -}}
{{- end -}}
{{- dict "identities" $identities | toJson -}}
{{- end }}
