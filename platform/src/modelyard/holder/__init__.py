"""The holder: takes requests for revisions at zero replicas, keeps them until a pod is ready, and hands them over."""
