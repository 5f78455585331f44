{{/* One Triton runtime: `name` and `values` of cpu or gpu. KServe writes the readiness probe of
     each model's pods from its InferenceService. Nothing picks this runtime by itself: revisions name it.
     A hash of what it is stands in its name, so a changed value makes another runtime and restarts nothing. */}}
{{- define "modelyard.runtime" -}}
apiVersion: serving.kserve.io/v1alpha1
kind: ClusterServingRuntime
metadata:
  name: {{ include "modelyard.runtimeName" . }}
  labels: {{- include "modelyard.labels" (dict "root" .root "component" "runtime") | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec: {{- include "modelyard.runtimeSpec" . | nindent 2 }}
{{- end }}

{{- define "modelyard.runtimeName" -}}
{{- if gt (len .name) 54 }}
{{- fail (printf "%s is too long for a runtime's name: at most 54 characters, as a hash follows." .name) }}
{{- end -}}
{{ .name }}-{{ include "modelyard.runtimeSpec" . | sha256sum | trunc 8 }}
{{- end }}

{{/* The runtime new revisions are made with: one of this chart by its whole name, else one of the cluster's. */}}
{{- define "modelyard.chosenRuntime" -}}
{{- if .values.enabled }}{{ include "modelyard.runtimeName" . }}{{ else }}{{ .name }}{{ end }}
{{- end }}

{{- define "modelyard.runtimeSpec" -}}
annotations:
  prometheus.kserve.io/port: "8002"
  prometheus.kserve.io/path: /metrics
supportedModelFormats:
- {name: triton, version: "2", autoSelect: false}
protocolVersions: [v2, grpc-v2]
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
containers:
- name: kserve-container
  image: {{ .values.image }}
  command: [tritonserver]
  args:
  - --model-repository=/mnt/models
  - --http-port=8080
  - --grpc-port=9000
  - --metrics-port=8002
  - --strict-readiness=true
  - --exit-timeout-secs=15
  ports:
  - {name: http, containerPort: 8080, protocol: TCP}
  - {name: grpc, containerPort: 9000, protocol: TCP}
  - {name: metrics, containerPort: 8002, protocol: TCP}
  resources: {{- toYaml .values.resources | nindent 4 }}
  # A pod that is told to end answers on until every Envoy knows of it. Without that a restart lost 1 of 1,250 requests.
  lifecycle:
    preStop:
      exec: {command: [sleep, "5"]}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
    seccompProfile: {type: RuntimeDefault}
  volumeMounts:
  - {name: shm, mountPath: /dev/shm}
  - {name: tmp, mountPath: /tmp}
volumes:
- name: shm
  emptyDir: {medium: Memory, sizeLimit: {{ .values.sharedMemory }}}
- name: tmp
  emptyDir: {}
{{- end }}
