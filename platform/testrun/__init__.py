"""The runner behind `make test`: stages in order, output as it comes, a table and one line at the end.

    lint         ruff, formatting, types, import contracts, generated files
    unit         tests/unit, with branch coverage of `core` and `api` at 100 %
    integration  tests/integration: a real etcd and kube-apiserver
    charts       tests/charts: renderings, checked by a real API server
    e2e          tests/e2e on the full local cluster: `parallel` three files at a time, then `exclusive`

`integration`, then `charts`, run beside the stages before them; what they print is shown when their turn comes.
The local cluster starts in the background while the stages before `e2e` run, and is taken down when it was not there
before. A stage that cannot run is a failure and does not keep the later ones from running. At the end come the ten
slowest tests and each stage's time. The last line is `N passed, N failed`: the tests of all stages, and every check
that failed counts as one failure.
"""
