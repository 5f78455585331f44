"""The cluster of people who have Docker and kind (`MODELYARD_CLUSTER=kind`): no root, nothing compiled.

    cluster.yaml, values.yaml   the cluster, and the chart's values in it: two ports of the machine lead to it
    programs                    what the user brings, and whether it is fit
    cluster                     made when it is missing; one of another shape is left alone
    images                      built by Docker from the Dockerfiles of every other way, loaded into the node
    bringup                     the steps

Gateway API, Envoy Gateway and KServe are installed by the very steps of the cluster without Docker, from the same
pinned sources; only their images are those that their authors publish.
"""
