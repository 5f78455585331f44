"""The controller: watch -> queue -> observe -> `core.decide` -> carry out.

`cache` (its watches) keeps a copy of the cluster and puts keys of Models into the queue. While this replica
holds the Lease, workers take a key, gather a `Snapshot` (`observer`), ask for a `Plan` and carry it out
(`reconciler`). Everything is repeated from the cluster's state alone: what is in memory here (cache, last
warm-up answers, positive answers of the store) may be lost at any time.

    watch threads          one kind each: watch -> cache, queue
    lease thread           renews; only its holder works
    worker threads         one Model each at a time
    HTTP thread            /metrics /healthz /readyz
"""
