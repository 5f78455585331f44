"""Who is who in the cluster: certificates, identities, kubeconfig files."""
