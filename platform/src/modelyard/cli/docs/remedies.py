"""What every reason means, what helps, and the test that provokes it: the rows of the page troubleshooting.md.

The rows of what a machine does to a program are made from the table of `core.failure_causes`, where they are decided.
"""

from modelyard.core.failure_causes import TABLE, FailureCause, Fault

from .remedy import Remedy as Remedy
from .remedy import Section as Section
from .retraining_remedies import RETRAINING, RETRAINING_STATES

_S = Section
_PODS, _FAILURES = "unit/core/revisions/test_pod_failures.py", "unit/core/test_failures.py"
_CAUSES, _ROLLOUT = "unit/core/test_failure_causes.py", "unit/core/rollout"
_START, _CANARY = f"{_ROLLOUT}/test_first_start.py", f"{_ROLLOUT}/test_canary.py"
_SWITCH = f"{_ROLLOUT}/test_switch.py"
_SCALING, _CHOICE = "unit/core/autoscaling/test_scaled_worlds.py", "unit/core/autoscaling/test_choice.py"
_SIGNED = "unit/signing/test_entry_signature.py"
_IDLE = "unit/core/revisions/test_idleness.py"
_MONITORING = "unit/core/reporting/test_monitoring.py"
_MONITORING_PERFORMANCE = "unit/core/reporting/test_performance.py"
_SEE = "`modelyard get NAME --watch` shows how it goes on."

_ROWS = (
    Remedy("UnknownEntry", _S.STUCK, "The registry has no such entry, version or alias.",
           "`modelyard entries` lists what there is; push the entry or correct `spec.source`.",
           "integration/operator/test_path.py::test_an_unknown_entry_is_said_and_nothing_is_made"),
    Remedy("AliasGone", _S.STUCK, "An alias that a Model follows, or its model, is not in MLflow any more.",
           "Set the alias again in MLflow, or name a version. What served goes on serving.",
           "unit/registry/test_synced.py::test_an_alias_that_cannot_be_followed_is_told"),
    Remedy("VersionRefused", _S.STUCK, "An alias means a version in MLflow that cannot be served.",
           "Log what the message says, and move the alias there. What served goes on serving.",
           "unit/registry/test_synced.py::test_an_alias_that_cannot_be_followed_is_told"),
    Remedy("ContractChanged", _S.STUCK, "Inputs or outputs of a version differ so that clients notice.",
           "`modelyard contract diff A B` lists it all. Push one that keeps them, or set `source.allowContractChange`.",
           "unit/core/artifacts/contract/test_contract_admission.py::test_a_version_that_breaks_clients_is_not_begun"),
    Remedy("CodeNotTrusted", _S.STUCK, "The entry is a Python model, and the Model does not say that it may run.",
           "Write `source.trustCode: true` if you trust whoever may push the entry; else push it as ONNX.",
           "unit/core/artifacts/python_models/test_admission_of_code.py::test_a_python_model_that_nobody_trusts_is_not_built"),
    Remedy("UnknownScenario", _S.STUCK, "`rollout.loadTest.scenario` names a load that the platform does not know.",
           "Name one that the message lists, or have it added to `config.check.scenarios` of the chart.",
           f"{_ROLLOUT}/checks/test_gate_scenario.py::test_an_unknown_scenario_begins_nothing_and_says_which_there_are"),
    Remedy("InvalidEntry", _S.STUCK, "The entry's files cannot be served as they are.",
           "`modelyard build` on the entry says the same here; correct it and push a new version.",
           "unit/operator/observer/test_builds.py::test_a_failed_job_speaks_with_the_builders_words"),
    Remedy("CorruptEntry", _S.STUCK, "The stored bytes do not match the digest of the push.",
           "Look at the store; push the entry again as a new version.",
           "unit/registry/test_bucket.py::test_a_damaged_file_is_noticed_and_nothing_is_left_behind"),
    Remedy("SignatureMissing", _S.STUCK, "Nobody who is trusted has signed the entry or the build.",
           "`modelyard keys sign ENTRY --key FILE` with a key that the message names; a build that is not signed is "
           "deleted in the store and made again.",
           f"{_SIGNED}::test_an_entry_that_nobody_trusted_has_signed_says_who_is_wanted"),
    Remedy("SignatureInvalid", _S.STUCK, "The file that the message names is not what was signed.",
           "Find out who can write to the store. Push the entry again as a new version; delete a changed build in the "
           "store, and its pods once it is made again.",
           f"{_SIGNED}::test_an_entry_that_was_changed_after_it_was_signed_names_the_file"),
    Remedy("InvalidKey", _S.STUCK, "A key is missing, unreadable, of another kind, or readable by others.",
           "`modelyard keys new` makes one; put its .pub file where the message says.",
           "unit/signing/test_keys.py::test_what_is_no_public_key_is_refused"),
    Remedy("BudgetTooSmall", _S.STUCK, "`optimize.budget` is less than one trial of this model takes.",
           "Raise `spec.optimize.budget`; the plain artifact serves meanwhile.",
           "integration/builder/test_publish_optimized.py::"
           "test_a_budget_too_small_for_the_model_is_said_where_the_operator_reads_it"),
    Remedy("TrainingOff", _S.STUCK, "`optimize.train` or `retrain.recipe` wants training, which is off here.",
           "Set `config.build.trainImage` in the chart, take `optimize.train` out, or write `retrain.webhook`.",
           "unit/core/artifacts/test_training_allowed.py::"
           "test_where_it_is_off_the_plain_artifact_serves_and_the_message_says_what_to_do"),
    Remedy("CorruptReport", _S.STUCK, "The report of an optimization in the store cannot be read.",
           "Delete the build's folder in the store; it is made again.",
           "unit/operator/observer/test_optimizations.py::test_a_report_that_tells_of_no_optimization_is_said_to_be_damaged"),
    Remedy("InvalidModel", _S.STUCK, "The stored Model cannot be read, or its fields contradict each other.",
           "Correct the field that the message names and apply the Model again.",
           "integration/operator/test_keeping.py::"
           "test_a_model_whose_stored_form_makes_no_sense_is_told_so_and_keeps_its_state"),
    Remedy("NameTaken", _S.STUCK, "An object of somebody else has a name that this Model needs; it is left as it is.",
           "Rename or remove that object, or give the Model another name.",
           "unit/core/test_foreign_objects.py::test_nothing_is_begun_while_a_name_is_taken"),
    Remedy("HostTaken", _S.STUCK, "A route of somebody else had this Model's host or path on the gateway first.",
           "Take it out of the route that the message names, or give the Model another name.",
           "unit/core/resources/test_claimed_places.py::test_a_new_model_waits_until_the_host_is_free"),
    Remedy("NamespaceTooLong", _S.STUCK, "KServe's host names have no room for a namespace of more than 40 characters.",
           "Use a namespace with a shorter name.",
           "unit/core/test_refused_pods.py::test_a_namespace_that_is_too_long_is_said_before_anything_is_built"),
    Remedy("ServerCrashed", _S.STUCK, "The server ends by itself, mostly because it cannot load the model.",
           "Read the cause in the message; `modelyard serve` on the entry shows it here. Push a version that loads.",
           f"{_PODS}::test_a_server_that_ends_badly_gives_exit_code_cause_and_remedy"),
    Remedy("StartTimedOut", _S.STUCK, "A revision is not ready in time and its pods name no error.",
           "Raise `spec.serving.resources.limits.memory` (a server that hangs mostly lacks memory), or read its log.",
           f"{_FAILURES}::test_a_server_that_hangs_while_it_loads_is_told_after_its_time_and_still_welcome_later"),
    Remedy("WarmupFailed", _S.STUCK, "The replicas are ready, but a request through the gateway was not answered.",
           "The message has the answer: a wrong config.pbtxt, a route that is not programmed, or a gateway away.",
           "integration/operator/test_path.py::test_a_revision_that_does_not_answer_takes_nothing_over"),
    Remedy("AskingFailed", _S.PLATFORM, "A defect of Modelyard's: an answer came that it cannot read.",
           "It is asked again by itself; report the trace in the operator's log.",
           "unit/operator/polling/test_poller.py::test_a_defect_of_ours_is_logged_and_asked_again"),
    Remedy("RegistryUnreachable", _S.PLATFORM, "MLflow does not answer, or nobody asks it; what is here goes on.",
           "Look at MLflow and at the log of the Deployment modelyard-mlflow; new versions wait.",
           "unit/registry/test_synced.py::test_an_outage_is_told_and_what_is_served_stands"),
    Remedy("Unschedulable", _S.PLATFORM, "No node takes a pod.",
           "The message names what does not fit: resources, a taint, a selector. It goes on once a node has room.",
           "unit/core/test_failures.py::test_a_cluster_without_room_is_not_a_dead_end"),
    Remedy("PodsRefused", _S.PLATFORM, "A quota, a LimitRange, an admission or bad resources refuse the pods.",
           "The message has the cluster's own words. It goes on by itself once that is mended.",
           "unit/core/test_refused_pods.py::test_whatever_refuses_pods_is_said_at_once_and_heals"),
    Remedy("JobSuspended", _S.PLATFORM, "A person or a queue holds a Job: a build, an optimization, a training.",
           "Let the queue admit it, or set `spec.suspend: false` in the Job that the message names.",
           "unit/core/reporting/test_refused_objects.py::test_a_build_that_is_suspended_is_said_and_goes_on_when_it_may"),
    Remedy("ObjectRefused", _S.PLATFORM, "A quota, a policy or the end of a namespace refuses an object of the Model.",
           "The message has the API server's own words. What serves goes on; the rest follows once that is mended.",
           "unit/core/reporting/test_refused_objects.py::test_whatever_refuses_an_object_is_said_and_heals"),
    Remedy("PodInvalid", _S.PLATFORM, "Kubernetes cannot make the pod's container, as when a Secret is missing.",
           "Restore what the message names; the operator makes its own objects again.",
           f"{_PODS}::test_a_container_that_cannot_be_made_is_quoted"),
    Remedy("DownloadFailed", _S.PLATFORM, "The storage initializer cannot get the artifact.",
           "`modelyard doctor` asks whether the store takes the operator's keys; 403 can mean key or bucket.",
           f"{_PODS}::test_a_download_the_store_refuses_says_what_to_check"),
    Remedy("NoReplicaReady", _S.PLATFORM, "A revision holds the traffic and none of its replicas is ready.",
           "`modelyard explain NAME` names the pod and its cause.",
           f"{_FAILURES}::test_a_serving_revision_that_lost_all_its_pods_is_not_ready"),
    Remedy("RequestsFail", _S.PLATFORM, "The gateway counts that users' requests fail, though replicas are ready.",
           "Read the server's log, `modelyard restart NAME`, or set `spec.source` to a version that works.",
           f"{_FAILURES}::test_a_revision_that_fails_its_users_does_not_serve_however_well_its_pods_are"),
    Remedy("NotReady", _S.PLATFORM, "A candidate that was ready has lost replicas (its health gate says so).",
           "`modelyard explain NAME` names the pod and its cause.",
           "unit/core/analysis/test_gates.py::test_a_pod_that_restarts_has_half_a_minute"),
    Remedy("NotAccepted", _S.PLATFORM, "The gateway refuses a route.",
           "`kubectl describe httproute NAME`: a listener or a reference grant is missing.",
           f"{_FAILURES}::test_a_gateway_that_refuses_a_route_is_quoted"),
    Remedy("BuildFailed", _S.PLATFORM, "A Job failed and left no words.",
           "Read its log; delete the Job to try again at once.",
           "unit/operator/observer/test_builds.py::test_a_job_that_left_no_words_says_where_to_look"),
    Remedy("NoAutoscaler", _S.PLATFORM, "`spec.scaling` leaves a choice, and the cluster has nobody to make it.",
           "Install KEDA and set `config.gateway.prometheusUrl`, or install metrics-server; `modelyard doctor` asks.",
           f"{_SCALING}::test_a_range_that_nobody_chooses_in_is_a_warning"),
    Remedy("AutoscalerFails", _S.PLATFORM, "The autoscaler cannot read what it scales by; the replicas stay.",
           "See `config.gateway.prometheusUrl` and that Prometheus, or metrics-server; the message has its words.",
           f"{_SCALING}::test_an_autoscaler_that_cannot_count_is_a_warning_and_its_end_is_told"),
    Remedy("AutoscalerRefused", _S.PLATFORM, "The API server or KEDA's webhook refuses the autoscaler (an Event).",
           "The message says why; everything else of the Model goes on, and it is tried again by itself.",
           "integration/operator/autoscaling/test_autoscalers.py::test_an_autoscaler_that_is_refused_keeps_nothing_else_back"),
    Remedy("DataBroken", _S.DATA, "Rows lack values or columns, or lie outside the reference, more often than its own.",
           "`modelyard drift NAME` says which feature and since when; ask whoever sends the requests.",
           f"{_MONITORING}::test_broken_data_is_told_once_and_its_end_too"),
    Remedy("DriftDetected", _S.DATA, "The distribution of an input or an output has moved.",
           "`modelyard drift NAME` says how far and how much it weighs; retrain where it costs quality.",
           f"{_MONITORING}::test_drift_is_no_outage"),
    Remedy("PerformanceDecayed", _S.DATA, "Labelled answers are wrong more often than the reference allows.",
           "`modelyard quality NAME` says which slices and since when; train anew, or `modelyard rollback NAME`.",
           f"{_MONITORING_PERFORMANCE}::test_decay_is_told_once_and_its_end_too"),
    Remedy("NoReference", _S.DATA, "The build has no reference, so nothing tells what is usual.",
           "Push the entry as a new version with an `eval.npz`, or with `--reference FILE`.",
           f"{_MONITORING}::test_without_a_reference_the_status_says_what_to_do"),
    Remedy("NoRecorder", _S.DATA, "`spec.monitoring.sample` asks for recorded requests, and there is no recorder.",
           "`helm upgrade ... --set recorder.replicas=2`, or take `sample` out.",
           f"{_MONITORING}::test_a_sample_without_a_recorder_is_told"),
    Remedy("EvaluationStopped", _S.DATA, "The evaluator has written nothing for half an hour.",
           "`kubectl -n modelyard-system logs deploy/modelyard-evaluator`; see that it runs and reaches the store.",
           f"{_MONITORING}::test_an_evaluator_that_is_silent_is_told"),
    Remedy("NoTraffic", _S.HELD, "No request reaches the candidate though it should.",
           "Send traffic, use `rollout.loadTest`, or `modelyard rollout promote`.",
           f"{_CANARY}::test_what_is_not_known_holds_the_weight_and_goes_on_afterwards"),
    Remedy("NoMetrics", _S.HELD, "The gateway's counters do not come.",
           "See that the gateway's pods run and that the operator reaches them (or the Prometheus).",
           f"{_CANARY}::test_what_is_not_known_holds_the_weight_and_goes_on_afterwards"),
    Remedy("StableOutOfSlo", _S.HELD, "The stable itself misses the objective, so it says nothing about the candidate.",
           "Mend the stable, or decide by `modelyard rollout promote` or `abort`.",
           f"{_CANARY}::test_what_is_not_known_holds_the_weight_and_goes_on_afterwards"),
    Remedy("SampleRatioMismatch", _S.HELD, "The observed share cannot be the weight's by chance.",
           "Look for sticky clients or a proxy in between; the message has the numbers.",
           "unit/core/analysis/test_sample_ratio.py::test_another_share_than_the_weights_is_held"),
    Remedy("CheckFailed", _S.HELD, "A load test or comparison has no answer after several tries.",
           "Read the Job's log that the message names; `modelyard rollout retry` or `promote`.",
           f"{_ROLLOUT}/test_lost_checks.py::test_after_four_attempts_it_holds_and_says_why"),
    Remedy("ThresholdTooLow", _S.HELD, "The gateway has no bucket as low as `slo.latency.threshold`.",
           "Set the threshold to the bound in the message or more.",
           "unit/core/analysis/test_slo_gate.py::test_a_threshold_below_every_bound_is_held_and_says_what_to_do"),
    Remedy("ReplicaMissing", _S.HELD, "A replica of the candidate waits for a node or had to leave one.",
           "It goes on when the replica is back: add nodes, or uncordon one.",
           "unit/core/revisions/test_replicas.py::"
           "test_a_replica_that_waits_for_a_node_holds_the_rollout_until_it_is_back"),
    Remedy("InsufficientCapacity", _S.HELD, "The nodes or a quota cannot hold the replicas of the rollout's next step.",
           "The message says what is missing and where. Add or free nodes, ask for less, or set "
           "`config.serving.capacityCheck: warn` where a cluster autoscaler adds nodes.",
           f"{_ROLLOUT}/capacity/test_step_room.py::test_a_step_without_room_waits_and_goes_on_once_there_is_some"),
    Remedy("Paused", _S.HELD, "A person paused it.", "`modelyard rollout resume NAME`.",
           f"{_ROLLOUT}/test_commands.py::test_a_pause_keeps_the_weight_until_resume"),
    Remedy("PauseStep", _S.HELD, "The step asks for a person.", "`modelyard rollout resume NAME` goes on.",
           f"{_ROLLOUT}/test_pause.py::test_a_step_with_a_pause_waits_longer_than_max_duration"),
    Remedy("Inconclusive", _S.ENDED, "`maxDuration` was over without a decision.",
           "Give it more traffic or time, or `rollout.onInconclusive: Promote` or `Hold`.",
           f"{_ROLLOUT}/test_lost_checks.py::test_a_lost_check_does_not_outlive_max_duration"),
    Remedy("ErrorsGateFailed", _S.ENDED, "The candidate failed more requests than promised.",
           "The message has the counts. Push a better version; `modelyard rollout retry` tries the same again.",
           "unit/core/rollout/test_canary.py::test_a_bad_candidate_loses_its_traffic_in_the_look_that_saw_it"),
    Remedy("ClientErrorsGateFailed", _S.ENDED, "The candidate rejected (4xx) what the stable accepts.",
           "Export it with the inputs (names, datatypes, shapes) that clients send.",
           "e2e/parallel/rollouts/test_bad_candidates.py::test_one_that_rejects_what_the_stable_accepts"),
    Remedy("LatencyGateFailed", _S.ENDED, "The candidate was slower than promised.",
           "Give it more replicas or resources, or `spec.optimize`; then `modelyard rollout retry`.",
           "e2e/exclusive/test_slow_candidate.py::test_one_that_is_slow"),
    Remedy("HealthGateFailed", _S.ENDED, "The candidate's pods failed.",
           "`modelyard explain NAME` has the cause; push a better version.",
           "unit/core/rollout/test_canary.py::test_a_crash_loop_ends_a_rollout_before_it_had_any_traffic"),
    Remedy("LoadTestFailed", _S.ENDED, "The candidate missed the objective under the load test.",
           "The report has the numbers (`modelyard rollout status`).",
           f"{_ROLLOUT}/test_strategies.py::"
           "test_a_load_test_comes_before_the_first_weight_and_stops_a_candidate_that_fails_it"),
    Remedy("ReplayFailed", _S.ENDED, "The candidate failed, or answered otherwise, what users had asked the stable.",
           "`modelyard compare NAME --recorded 1000` shows what; widen `rollout.replay` when that is meant.",
           f"{_ROLLOUT}/checks/test_replay.py::test_a_candidate_that_fails_what_users_asked_is_out_before_it_has_any"),
    Remedy("FeedbackGateFailed", _S.ENDED, "By the labels that came, the candidate is wrong more often than allowed.",
           "`modelyard quality NAME` has the measures of both; widen `rollout.feedback.margin` when that is meant.",
           f"{_ROLLOUT}/checks/test_feedback.py::test_a_candidate_that_labels_prove_worse_loses_its_traffic"),
    Remedy("OutputsDiffer", _S.ENDED, "The candidate answers otherwise than the stable, beyond the tolerance.",
           "`modelyard compare NAME` shows by how much; widen `rollout.shadow` when that is meant.",
           f"{_ROLLOUT}/test_strategies.py::test_a_shadow_that_disagrees_is_refused"),
    Remedy("AbortCommanded", _S.ENDED, "A person aborted it.",
           "`modelyard rollout retry NAME`, or another spec.",
           f"{_ROLLOUT}/test_commands.py::test_abort_takes_the_traffic_away_and_refuses_the_candidate"),
    Remedy("PromoteCommanded", _S.ENDED, "A person promoted it without waiting for the gates.", "Nothing.",
           f"{_ROLLOUT}/test_commands.py::test_a_second_promote_ends_the_bake"),
    Remedy("Reverted", _S.ENDED, "The spec asks for the stable again.", "Nothing.",
           f"{_ROLLOUT}/test_changed_specs.py::test_asking_for_the_stable_again_rolls_back_at_once"),
    Remedy("Superseded", _S.ENDED, "The spec asks for a third revision.", "Nothing; that one is rolled out next.",
           f"{_ROLLOUT}/test_changed_specs.py::test_a_third_wish_drops_the_candidate_and_starts_from_the_stable"),
    Remedy("Reported", _S.ENDED, "A comparison that does not promote by itself is over.",
           "Read `status.rollout.report`, then promote or change the spec.",
           f"{_ROLLOUT}/test_strategies.py::test_a_shadow_ends_with_a_report_and_no_promotion"),
    Remedy("Unreachable", _S.COMMAND, "The registry, the store, the gateway or the API server did not answer.",
           "`modelyard doctor` finds which; it is tried again by itself.",
           f"{_FAILURES}::test_a_registry_that_is_away_is_waited_for"),
    Remedy("Refused", _S.COMMAND, "The other side said no: a key, a right, a quota.",
           "`modelyard doctor` asks as you and as the operator; correct the key or the role.",
           "unit/registry/test_store.py::test_a_reader_may_read_but_not_write"),
    Remedy("Throttled", _S.COMMAND, "The other side asks to come back later (429).", "It is tried again by itself.",
           "unit/clients/test_crossed_writes.py::test_a_write_that_is_crossed_for_ever_is_one_to_come_back_to"),
    Remedy("Conflict", _S.COMMAND, "Somebody else wrote first.", "It is tried again by itself.",
           "unit/operator/test_leader_election.py::test_of_two_that_take_over_at_once_one_loses"),
    Remedy("CommandRefused", _S.COMMAND, "A rollout was told what makes no sense where it stands (an Event).",
           "The message says why; `modelyard rollout status NAME` shows where it stands.",
           f"{_ROLLOUT}/test_commands.py::test_a_command_that_is_refused_is_a_warning"),
    Remedy("EntryExists", _S.COMMAND, "A pushed version never changes, and its content differs.",
           "Push it as another version.", "unit/registry/test_bucket.py::test_a_pushed_version_never_changes"),
    Remedy("InvalidInput", _S.COMMAND, "The input of a prediction does not fit the model.",
           "The message names the input, what it takes and what it got.",
           "unit/clients/inference/test_predictions.py::test_an_input_the_server_refuses_is_the_callers_mistake"),
    Remedy("DeadlineExceeded", _S.COMMAND, "The Python client had no answer in the time of the call, or the gateway's.",
           "Allow more with `timeout=`, or `spec.serving.timeout`; send fewer rows at once.",
           "unit/sdk/test_clients.py::test_a_slow_answer_ends_with_the_time_of_the_call"),
    Remedy("NotOffered", _S.COMMAND, "The Python client asked what the model, or its protocol, has no answer for.",
           "The message says what does, such as HTTP in place of gRPC.",
           "unit/sdk/test_clients.py::test_no_explainer_is_a_clear_answer"),
    Remedy("InvalidSettings", _S.COMMAND, "A setting is missing or cannot be used.",
           "The message names the field and the file or variable it is read from.",
           "unit/test_settings.py::test_a_file_that_is_not_yaml_is_refused"),
)  # fmt: skip
_STATES = {
    "Asking": (
        "Registry, store or a Job's pods have been asked; in some seconds it is known, or said who does not answer.",
        "unit/core/test_pending_answers.py::test_a_new_model_is_told_nothing_before_the_registry_has_answered",
    ),
    "Found": ("The registry knows the entry.", f"{_START}::test_while_it_is_built_the_model_says_so"),
    "EntryUnresolved": (
        "The build waits for the entry.", f"{_FAILURES}::test_an_unknown_entry_stalls_a_new_model_and_makes_nothing"
    ),
    "Building": ("A Job builds the artifact.", f"{_START}::test_while_it_is_built_the_model_says_so"),
    "Optimizing": (
        "A Job tries variants.",
        "integration/operator/test_optimizing.py::test_with_wait_nothing_serves_before_it_is_optimized",
    ),
    "Published": ("The artifact is in the store.", f"{_START}::test_an_artifact_in_the_store_is_served_at_once"),
    "NoRevision": ("No revision has been started yet.", f"{_START}::test_while_it_is_built_the_model_says_so"),
    "Starting": ("A revision is starting.", f"{_START}::test_ready_is_not_served_until_the_warm_up_is_answered"),
    "ScaledToZero": (
        "Nobody asked for `scaling.idleAfter`, so there are no replicas; the next request waits for the first one. "
        "`minReplicas: 1` keeps one.",
        f"{_IDLE}::test_a_model_nobody_asks_goes_to_zero_and_the_next_request_wakes_it",
    ),
    "Waking": (
        "Requests wait for the first replica of a Model that had none.",
        f"{_IDLE}::test_a_model_nobody_asks_goes_to_zero_and_the_next_request_wakes_it",
    ),
    "Joining": (
        "It answered; the gateway is told of it.",
        f"{_SWITCH}::test_a_new_revision_is_known_to_the_gateway_before_it_gets_its_share",
    ),
    "WaitingForSlot": ("The revision before last still drains.", f"{_SWITCH}::test_a_third_wish_waits_for_a_slot"),
    "Publishing": (
        "The routes are being programmed.", f"{_START}::test_ready_is_not_said_before_the_gateway_carries_the_routes"
    ),
    "Accepted": (
        "The gateway carries the routes.", f"{_START}::test_ready_is_not_said_before_the_gateway_carries_the_routes"
    ),
    "Answering": (
        "A revision answers users.", f"{_START}::test_an_answered_warm_up_takes_the_traffic_and_the_model_is_ready"
    ),
    "Serving": (
        "All is as the spec says.", f"{_START}::test_an_answered_warm_up_takes_the_traffic_and_the_model_is_ready"
    ),
    "Done": (
        "Nothing is left to do.", f"{_START}::test_an_answered_warm_up_takes_the_traffic_and_the_model_is_ready"
    ),
    "NotEvaluated": (
        "No recorded row of the serving revision has been evaluated yet.",
        f"{_MONITORING}::test_before_the_first_word_nothing_is_claimed_and_it_is_looked_for",
    ),
    "NoLabels": (
        "Labels are taken, and none of an answer of the serving revision came.",
        f"{_MONITORING_PERFORMANCE}::test_before_the_first_word_and_without_labels_nothing_is_claimed",
    ),
    "LearningReference": (
        "The first labels are what later ones are held against; more are needed.",
        f"{_MONITORING_PERFORMANCE}::test_before_the_first_word_and_without_labels_nothing_is_claimed",
    ),
    "PerformanceKept": (
        "Labelled answers are as right as the reference's.",
        f"{_MONITORING_PERFORMANCE}::test_answers_as_right_as_promised_are_told_with_their_measures",
    ),
    "NoRows": ("Requests are recorded, and nobody asks.", f"{_MONITORING}::test_nobody_asks"),
    "AsReference": (
        "Recorded rows are like the reference.",
        f"{_MONITORING}::test_rows_as_they_should_be_are_told_without_an_event",
    ),
    "NotSynced": (
        "A version of MLflow's is being brought into the registry.",
        "unit/registry/test_synced.py::test_what_is_not_here_is_explained",
    ),
    "SpecChanged": ("A rollout has begun.", f"{_CANARY}::test_a_good_candidate_takes_over_step_by_step"),
    "Built": ("The candidate's artifact is there.", f"{_CANARY}::test_a_good_candidate_takes_over_step_by_step"),
    "Answered": ("The candidate answered a warm-up.", f"{_CANARY}::test_a_good_candidate_takes_over_step_by_step"),
    "Passed": ("Every gate of the phase passed.", f"{_CANARY}::test_a_good_candidate_takes_over_step_by_step"),
    "Replaced": (
        "The old revision is gone (Recreate).",
        f"{_ROLLOUT}/test_strategies.py::test_recreate_removes_the_old_before_it_makes_the_new",
    ),
    "Scaled": (
        "The number of replicas has changed inside `spec.scaling` (an Event).",
        f"{_SCALING}::test_a_changed_number_is_told_with_who_chooses_and_by_what",
    ),
    "ScaledByRequests": ("KEDA chooses the number of replicas.", f"{_CHOICE}::test_the_table_of_choices"),
    "ScaledByCpu": ("A HorizontalPodAutoscaler chooses it.", f"{_CHOICE}::test_the_table_of_choices"),
    "ScaledByOthers": (
        "Somebody else's autoscaler points at the Model or its revision.",
        f"{_CHOICE}::test_where_somebody_else_scales_nothing_is_made",
    ),
    "FixedReplicas": (
        "`minReplicas` is `maxReplicas`.", f"{_SCALING}::test_a_range_of_one_number_leaves_nothing_to_choose"
    ),
    "AutoscalingOff": ("The platform makes no autoscalers.", f"{_CHOICE}::test_the_table_of_choices"),
    "AutoscalerUnknown": (
        "It is not known yet what the cluster has.",
        f"{_SCALING}::test_before_it_is_known_what_the_cluster_has_nothing_is_made_and_nothing_is_taken_away",
    ),
    "AutoscalerPaused": (
        "Somebody paused the ScaledObject.", "unit/core/autoscaling/test_health.py::test_a_paused_one_is_no_harm"
    ),
    "RolloutCommand": (
        "A command was answered (an Event).", f"{_ROLLOUT}/test_commands.py::test_a_command_is_carried_out_once"
    ),
}  # fmt: skip


def remedies() -> tuple[Remedy, ...]:
    """All rows, in the order of the page; the machine's and the model's faults come from the table of causes."""
    known = {**_STATES, **RETRAINING_STATES}.items()
    states = (Remedy(word, Section.STATE, cause, _SEE, test) for word, (cause, test) in known)
    return (*_ROWS, *RETRAINING, *(_of_cause(cause) for cause in TABLE), *states)


def _of_cause(cause: FailureCause) -> Remedy:
    of_machine = cause.fault is Fault.SURROUNDINGS
    section = Section.MACHINE if of_machine else Section.MODEL
    test = f"{_CAUSES}::test_what_the_{'surroundings do is tried_again' if of_machine else 'model does is final'}"
    return Remedy(cause.reason, section, f"The program {cause.what}.", _sentence(cause.remedy), test.replace(" ", "_"))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
