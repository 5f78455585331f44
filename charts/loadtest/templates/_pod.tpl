{{- define "loadtest.labels" -}}
app.kubernetes.io/name: modelyard-loadtest
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: modelyard
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "loadtest.scenario" -}}
{{- $said := dict "load" (dict "steady" (dict "rate" 20)) }}
{{- range $name, $value := .Values.scenario }}
{{- if or (not (empty $value)) (eq $name "grpcShare") }}{{ $_ := set $said $name $value }}{{ end }}
{{- end }}
{{- toYaml $said }}
{{- end }}

{{- define "loadtest.podSpec" -}}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
- name: loadtest
  image: {{ .Values.image }}
  imagePullPolicy: {{ .Values.imagePullPolicy }}
  command: [python, -m, loadtests, /etc/loadtest/{{ .Release.Name }}.yaml, --host, {{ .Values.gateway.url | quote }}, --report, /tmp/loadtest
    {{- if .Values.store.enabled }}, --publish{{ end }}
    {{- with .Values.pushgateway }}, --pushgateway, {{ . | quote }}{{ end }}
    {{- if gt (int .Values.workers) 1 }}, --, --processes, {{ .Values.workers | quote }}{{ end }}]
  env:
  - {name: PYTHONPATH, value: /opt}
  - {name: HOME, value: /tmp}
  - {name: TMPDIR, value: /tmp}
  - {name: MODELYARD_TERMINATION_LOG, value: /dev/termination-log}
  - {name: MODELYARD_GATEWAY_URL, value: {{ .Values.gateway.url | quote }}}
  - {name: MODELYARD_GATEWAY_DOMAIN, value: {{ .Values.gateway.domain | quote }}}
  {{- if .Values.store.enabled }}
  - {name: MODELYARD_STORE_ENDPOINT, value: {{ .Values.store.endpoint | quote }}}
  - {name: MODELYARD_STORE_BUCKET, value: {{ .Values.store.bucket | quote }}}
  - {name: MODELYARD_STORE_REGION, value: {{ .Values.store.region | quote }}}
  - name: MODELYARD_STORE_ACCESS_KEY_ID
    valueFrom: {secretKeyRef: {name: {{ .Values.store.secret }}, key: accessKeyId}}
  - name: MODELYARD_STORE_SECRET_ACCESS_KEY
    valueFrom: {secretKeyRef: {name: {{ .Values.store.secret }}, key: secretAccessKey}}
  {{- end }}
  resources: {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
  volumeMounts:
  - {name: scenario, mountPath: /etc/loadtest, readOnly: true}
  - {name: scratch, mountPath: /tmp}
volumes:
- name: scenario
  configMap: {name: {{ .Release.Name }}-loadtest}
- name: scratch
  emptyDir: {}
{{- end }}
