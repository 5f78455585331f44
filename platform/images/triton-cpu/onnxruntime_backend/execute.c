/* Runs what Triton has batched together.
 *
 *   requests -> those that are alike, as one run -> one answer each
 *                        | fails
 *                        v
 *               each as a run of its own: only the guilty one gets the error
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend.h"

/* When an execution began, onnxruntime began, and it ended. */
typedef struct {
  uint64_t start, compute_start, compute_end;
} Times;

static uint64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Sends the response, or the error, and gives the request back. */
static void finish(TRITONBACKEND_ModelInstance *instance, Pending *pending, Error *error, const Times *times)
{
  log_and_drop(TRITONBACKEND_ResponseSend(pending->response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, error));
  log_and_drop(TRITONBACKEND_ModelInstanceReportStatistics(
      instance, pending->request, error == NULL, times->start, times->compute_start, times->compute_end, now()));
  log_and_drop(TRITONBACKEND_RequestRelease(pending->request, TRITONSERVER_REQUEST_RELEASE_ALL));
  pending->answered = true;
}

/* The outputs that at least one of the requests wants, and no others are computed. */
static uint32_t choose(Session *session, Pending **pending, uint32_t count)
{
  uint32_t chosen = 0;
  for (uint32_t output = 0; output < session->outputs; ++output) {
    bool wanted = false;
    for (uint32_t at = 0; at < count; ++at) wanted |= pending[at]->wants[output];
    if (!wanted) continue;
    session->wanted[chosen] = output;
    session->wanted_names[chosen++] = session->output[output].name;
  }
  return chosen;
}

static Error *compute(
    Session *session, Pending **pending, uint32_t count, int64_t rows, uint32_t outputs, Times *times)
{
  uint32_t fed;
  TRY(feed(session, pending, count, rows, &fed));
  const OrtValue *inputs[fed > 0 ? fed : 1];
  for (uint32_t at = 0, next = 0; at < session->inputs; ++at)
    if (session->fed[at] != NULL) inputs[next++] = session->fed[at];
  times->compute_start = now();
  OrtStatus *status = ort.api->Run(
      session->session, NULL, session->fed_names, inputs, fed, session->wanted_names, outputs, session->computed);
  times->compute_end = now();
  TRY(of_run(status, session));
  for (uint32_t at = 0; at < outputs; ++at) {
    Result *result = &session->result[at];
    TRY(read_result(session->wanted_names[at], session->computed[at], result));
    if (count > 1 && (result->dimensions == 0 || result->shape[0] != rows))
      return failure(
          TRITONSERVER_ERROR_INTERNAL, "%s has not as many rows as were given", session->wanted_names[at]);
  }
  return NULL;
}

static void clear(Session *session)
{
  for (uint32_t at = 0; at < session->inputs; ++at) {
    Tensor *tensor = &session->input[at];
    if (session->fed[at] != NULL) ort.api->ReleaseValue(session->fed[at]);
    session->fed[at] = NULL;
    if (tensor->room <= KEPT_BYTES) continue;
    free(tensor->buffer);
    tensor->buffer = NULL;
    tensor->room = 0;
  }
  for (uint32_t at = 0; at < session->outputs; ++at) {
    if (session->computed[at] != NULL) ort.api->ReleaseValue(session->computed[at]);
    session->computed[at] = NULL;
    free(session->result[at].text);
    free(session->result[at].starts);
    session->result[at] = (Result){0};
  }
}

static Error *respond(
    const Session *session, const Pending *pending, uint32_t outputs, int64_t first_row, bool part)
{
  for (uint32_t at = 0; at < outputs; ++at)
    if (pending->wants[session->wanted[at]])
      TRY(answer(
          session->wanted_names[at], &session->result[at], first_row, pending->rows, part, pending->response));
  return NULL;
}

/* One run for all; false where it failed and has answered nobody, so that each is to be tried alone. */
static bool run(
    TRITONBACKEND_ModelInstance *instance, Session *session, Pending **pending, uint32_t count, uint64_t start)
{
  Times times = {start, start, start};
  int64_t rows = 0, row = 0;
  for (uint32_t at = 0; at < count; ++at) rows += pending[at]->rows;
  uint32_t outputs = choose(session, pending, count);
  Error *error = compute(session, pending, count, rows, outputs, &times);
  bool try_alone = error != NULL && count > 1;
  bool computed = error == NULL;
  if (!try_alone) {
    for (uint32_t at = 0; at < count; row += pending[at++]->rows) {
      Error *own = computed ? respond(session, pending[at], outputs, row, count > 1) : error;
      finish(instance, pending[at], own, &times);
      if (computed && own != NULL) TRITONSERVER_ErrorDelete(own);
    }
  }
  if (error != NULL) TRITONSERVER_ErrorDelete(error);
  clear(session);
  if (computed)
    log_and_drop(TRITONBACKEND_ModelInstanceReportBatchStatistics(
        instance, (uint64_t)(session->batches ? rows : 1), times.start, times.compute_start, times.compute_end, now()));
  return !try_alone;
}

/* Whether the request can be run; one that cannot be read, or was cancelled, has its answer. */
static void begin(TRITONBACKEND_ModelInstance *instance, const Session *session, Pending *pending, uint64_t start)
{
  Error *error = TRITONBACKEND_ResponseNew(&pending->response, pending->request);
  if (error != NULL) {
    log_and_drop(error);
    log_and_drop(TRITONBACKEND_RequestRelease(pending->request, TRITONSERVER_REQUEST_RELEASE_ALL));
    pending->answered = true;
    return;
  }
  error = read_request(session, pending);
  if (error == NULL) return;
  finish(instance, pending, error, &(Times){start, start, start});
  TRITONSERVER_ErrorDelete(error);
}

static void run_all(
    TRITONBACKEND_ModelInstance *instance, Session *session, Pending *pending, uint32_t count, uint64_t start)
{
  Pending **alike = allocated(count, sizeof *alike);
  for (uint32_t first = 0; first < count; ++first) {
    uint32_t members = 0;
    if (pending[first].answered) continue;
    alike[members++] = &pending[first];
    for (uint32_t other = first + 1; other < count; ++other)
      if (!pending[other].answered && can_run_together(session, &pending[first], &pending[other]))
        alike[members++] = &pending[other];
    if (run(instance, session, alike, members, start)) continue;
    for (uint32_t member = 0; member < members; ++member) run(instance, session, &alike[member], 1, start);
  }
  free(alike);
}

EXPORT Error *TRITONBACKEND_ModelInstanceExecute(
    TRITONBACKEND_ModelInstance *instance, TRITONBACKEND_Request **requests, const uint32_t count)
{
  uint64_t start = now();
  void *state;
  TRY(TRITONBACKEND_ModelInstanceState(instance, &state));
  Session *session = state;
  Pending *pending = allocated(count, sizeof *pending);
  Given *given = allocated((size_t)count * session->inputs, sizeof *given);
  bool *wants = allocated((size_t)count * session->outputs, sizeof *wants);
  for (uint32_t at = 0; at < count; ++at) {
    pending[at].request = requests[at];
    pending[at].given = given + (size_t)at * session->inputs;
    pending[at].wants = wants + (size_t)at * session->outputs;
    begin(instance, session, &pending[at], start);
  }
  run_all(instance, session, pending, count, start);
  free(pending);
  free(given);
  free(wants);
  return NULL;
}
