#!/usr/bin/env bash
# Builds and pushes the front's image and its chart: release.sh VERSION REGISTRY. Prints names and digests, a line each.
set -euo pipefail
version=$1 registry=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

docker login "${registry%%/*}" --username "$REGISTRY_USER" --password-stdin <<< "$REGISTRY_PASSWORD" >&2
helm registry login "${registry%%/*}" --username "$REGISTRY_USER" --password-stdin <<< "$REGISTRY_PASSWORD" >&2

docker buildx create --use >&2
docker buildx build . --file app/Dockerfile --tag "$registry/front:$version" --push \
  --provenance mode=max --sbom true --metadata-file "$work/image.json" >&2
echo "image=$registry/front"
echo "image-digest=$(jq -r '."containerimage.digest"' "$work/image.json")"

sed -i "s|repository:.*|repository: $registry/front|" chart/values.yaml
helm package chart --version "$version" --app-version "$version" --destination "$work" >&2
helm push "$work"/*.tgz "oci://$registry/charts" 2>&1 | tee /dev/stderr > "$work/pushed"
echo "chart=$registry/charts/census-income"
echo "chart-digest=$(grep -o 'sha256:[0-9a-f]*' "$work/pushed")"
