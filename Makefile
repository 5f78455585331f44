# Modelyard. `make help` lists the targets; the logic lives in Python, in platform/.
SHELL := /bin/bash
PYTHON := .venv/bin/python
RUN := PYTHONPATH=platform $(PYTHON)
COMPILER := python3 platform/bootstrap.py compiler
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-monitoring images-gpu cluster cluster-status cluster-down install load test unit integration charts-test e2e lint generate verify entries proof bench cleanroom clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## The virtual environment .venv (made once, by uv)
	@python3 platform/bootstrap.py

demo: setup ## Start here: a cluster, a Model, predictions, a canary
	@$(RUN) -m demo

demo-monitoring: setup ## Drift, labels, a page, a retrained version (15 minutes)
	@$(RUN) -m demo.monitoring

cluster: setup ## Kubernetes, KServe, Modelyard (NODES=2 ADDONS=keda,...)
	@$(RUN) -m localcluster up $(if $(ADDONS),--addons $(ADDONS)) $(if $(NODES),--nodes $(NODES))

cluster-status: setup ## What of the cluster runs
	@$(RUN) -m localcluster status

cluster-down: setup ## Stop the cluster and leave nothing behind
	@$(RUN) -m localcluster down

images-gpu: setup ## The builder's image for GPU nodes (gigabytes)
	@$(RUN) -m localcluster images-gpu

install: setup ## Install or upgrade on your cluster (VALUES=values.yaml)
	@.venv/bin/helm upgrade --install modelyard charts/modelyard --namespace modelyard-system --create-namespace --wait $(if $(VALUES),-f $(VALUES))

test: setup ## Everything: lint, unit, integration, charts, e2e
	@$(COMPILER)
	@$(RUN) -m testrun

load: setup ## A load test of loadtests/scenarios (SCENARIO=digits-ramp)
	@$(PYTHON) -m loadtests $(if $(SCENARIO),$(SCENARIO),digits-steady)

lint: setup ## Only: ruff, pyright, import contracts, generated files
	@$(RUN) -m testrun lint

unit: setup ## Only: unit tests, with branch coverage of core and api
	@$(RUN) -m testrun unit

integration: setup ## Only: the operator against a real etcd and API server
	@$(COMPILER)
	@$(RUN) -m testrun integration

charts-test: setup ## Only: charts and manifests, checked by a real API server
	@$(RUN) -m testrun charts

e2e: setup ## Only: the whole path on the full local cluster
	@$(RUN) -m testrun e2e

generate: setup ## Write what is generated: CRDs, references, dashboards
	@$(RUN) -m modelyard.cli.docs.generate
	@$(RUN) -m dashboards

verify: setup ## Fail when a generated file is not what is generated
	@$(RUN) -m modelyard.cli.docs.generate --check
	@$(RUN) -m dashboards --check

entries: setup ## Make the entries of model-repo/ again (takes minutes)
	@$(PYTHON) model-repo/make_entries.py --all

proof: setup ## The long proofs: some two hours, half on the cluster
	@$(COMPILER)
	@MODELYARD_ORDER=backwards $(RUN) -m testrun unit integration
	@MODELYARD_TEST_WORKERS=5 $(RUN) -m testrun unit integration
	@MODELYARD_HESITATION=1 $(PYTHON) -m pytest -q -n 5 --dist worksteal tests/integration/operator tests/integration/api tests/integration/cli
	@HYPOTHESIS_PROFILE=proof MODELYARD_PROOF=1 $(PYTHON) -m pytest -q tests/unit/core/test_random_worlds.py tests/unit/core/rollout/properties/test_random_rollouts.py tests/unit/core/rollout/properties/test_crashes.py tests/unit/core/rollout/test_lost_checks.py tests/unit/core/storage/test_keys.py tests/unit/core/analysis tests/unit/core/tuning tests/unit/cli/simulation tests/unit/core/monitoring tests/integration/training tests/integration/api/test_generated_models.py tests/integration/operator/outages tests/integration/operator/test_stopping.py tests/integration/builder/serving/test_backend_sanitized.py tests/integration/monitoring tests/integration/gateway/test_traces.py tests/integration/packaging
	@MODELYARD_PROOF=1 $(PYTHON) -m pytest -q tests/e2e/parallel/rollouts/test_canary.py tests/e2e/parallel/rollouts/test_bad_candidates.py tests/e2e/parallel/rollouts/test_unknowns.py tests/e2e/parallel/rollouts/test_load_test.py tests/e2e/parallel/rollouts/test_switching.py tests/e2e/parallel/rollouts/test_wishes.py tests/e2e/exclusive/test_outages.py tests/e2e/exclusive/test_release.py tests/e2e/exclusive/test_gateway_pods.py tests/e2e/exclusive/test_control_plane.py tests/e2e/exclusive/test_slow_candidate.py tests/e2e/exclusive/test_many_models.py tests/e2e/exclusive/test_training.py tests/e2e/exclusive/test_recording.py tests/e2e/exclusive/test_objectives.py tests/e2e/exclusive/test_alarms.py tests/e2e/exclusive/test_holders.py tests/e2e/exclusive/test_retraining.py
	@MODELYARD_PROOF=1 $(PYTHON) -m pytest -q tests/e2e/addons
	@MODELYARD_PROOF=1 $(PYTHON) -m pytest -q tests/e2e/nodes

bench: setup ## Measure what platform/docs/benchmarks.md reports
	@$(COMPILER)
	@$(RUN) -m demo.bench
	@$(RUN) -m tests.bench.rollouts
	@$(RUN) -m tests.bench.scale
	@$(RUN) -m tests.bench.scaling.cold_starts
	@$(RUN) -m tests.bench.scaling.node_cache
	@$(RUN) -m tests.bench.serving.backends
	@$(RUN) -m tests.bench.serving.against_servers
	@$(RUN) -m tests.bench.serving.tuning
	@$(RUN) -m tests.bench.serving.sdk
	@$(RUN) -m tests.bench.serving.load_accuracy
	@$(RUN) -m tests.bench.optimization
	@$(RUN) -m tests.bench.monitoring.drift
	@$(RUN) -m tests.bench.monitoring.feedback_gate

cleanroom: setup ## demo and test on a pristine Debian 12 (ONLY="make lint")
	@$(RUN) -m cleanroom $(if $(ONLY),--only "$(ONLY)")

clean: ## Remove .venv and .modelyard (the cache folder stays)
	@test ! -e .modelyard/kubeconfig || $(MAKE) --no-print-directory cluster-down
	@rm -rf .venv .modelyard
