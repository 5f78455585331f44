{{/* The rules as Prometheus reads them; what is in their braces is for Prometheus, not for Helm. */}}
{{- define "modelyard.rules" -}}
{{ .Files.Get "files/rules.yaml" | replace "PLATFORM_NAMESPACE" .Release.Namespace }}
{{- end }}

{{/* Receivers of one severity, by email and Slack; secrets are files that are mounted into Alertmanager. */}}
{{- define "modelyard.receiver" -}}
{{- $folder := .values.secretsPath -}}
- name: {{ .name }}
{{- with .values.email }}
{{- if and .enabled (has $.severity .severities) }}
  email_configs:
  - to: {{ required "monitoring.alertmanagerConfig.email.to is empty: write who gets the mail" .to | quote }}
    from: {{ required "monitoring.alertmanagerConfig.email.from is empty: write who sends it" .from | quote }}
    smarthost: {{ required "monitoring.alertmanagerConfig.email.smarthost is empty: write host:port of the mail server" .smarthost | quote }}
    require_tls: {{ .requireTls }}
    {{- with .username }}
    auth_username: {{ . | quote }}
    auth_password_file: {{ $folder }}/smtpPassword
    {{- end }}
    send_resolved: true
    headers:
      subject: {{ `'[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }} {{ .CommonLabels.namespace }}/{{ .CommonLabels.model }}'` }}
    text: {{ `'{{ range .Alerts }}{{ .Annotations.summary }} Next: {{ .Annotations.action }} {{ end }}'` }}
{{- end }}
{{- end }}
{{- with .values.slack }}
{{- if and .enabled (has $.severity .severities) }}
  slack_configs:
  - api_url_file: {{ $folder }}/slackUrl
    channel: {{ required "monitoring.alertmanagerConfig.slack.channel is empty: write the channel, such as #models" .channel | quote }}
    send_resolved: true
    title: {{ `'[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }} {{ .CommonLabels.namespace }}/{{ .CommonLabels.model }}'` }}
    text: {{ `'{{ range .Alerts }}{{ .Annotations.summary }} Next: {{ .Annotations.action }} {{ end }}'` }}
{{- end }}
{{- end }}
{{- end }}
