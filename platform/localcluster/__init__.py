"""A real Kubernetes on one Linux machine, built from package registries, without Docker.

`python -m localcluster up` ends with KServe, Envoy Gateway and the platform's chart running. The way there is a
graph of steps (`bringup`): Go programs (`binaries`), wheels (`wheels`), images (`images`), then a node of its own
mount, pid, network and uts namespaces (`node`, `network`), the components in it (`components`), what the platform
needs in the cluster (`prerequisites`), and the chart itself (`release`). Everything that costs time is kept in one
cache folder under the digest of what it was made from (`cache`), so a second start builds nothing. Nothing of the
host changes but one link, and `down` removes that too. People who have Docker and kind get their cluster from `kind`.
"""
