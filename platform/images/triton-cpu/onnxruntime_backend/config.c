/* What config.pbtxt says of a model. Triton gives it as JSON.
 *
 * Parameters: intra_op_thread_count (without it the CPUs this container may use are shared evenly among the model's
 * instances), inter_op_thread_count, session.intra_op.allow_spinning ("1" keeps idle threads hot).
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "json.h"

static const char *parameter(const char *json, const char *name)
{
  return json_member(json_member(json_member(json, "parameters"), name), "string_value");
}

static int threads(const char *json)
{
  long instances = 0;
  for (const char *group = json_first(json_member(json, "instance_group")); group != NULL; group = json_next(group))
    instances += json_number(json_member(group, "count"), 1);
  long share = usable_cpus() / (instances > 0 ? instances : 1);
  return (int)json_number(parameter(json, "intra_op_thread_count"), share > 0 ? share : 1);
}

/* The caller keeps `json`. */
ModelState *model_state(const char *json, const char *folder, uint64_t version)
{
  ModelState *state = allocated(1, sizeof *state);
  char *file = json_string(json_member(json, "default_model_filename"));
  state->json = strdup(json);
  state->batches = json_number(json_member(json, "max_batch_size"), 0) > 0;
  state->intra_threads = threads(json);
  state->inter_threads = (int)json_number(parameter(json, "inter_op_thread_count"), 1);
  state->spinning = json_string(parameter(json, "session.intra_op.allow_spinning"));
  const char *name = file != NULL && *file != '\0' ? file : "model.onnx";
  if (asprintf(&state->path, "%s/%lu/%s", folder, (unsigned long)version, name) < 0) abort();
  free(file);
  return state;
}

void forget_model(ModelState *state)
{
  free(state->json);
  free(state->path);
  free(state->spinning);
  free(state);
}

static Error *remember(TRITONBACKEND_Model *model, const char *json)
{
  TRITONBACKEND_ArtifactType kind;
  const char *folder;
  uint64_t version;
  if (json_first(json_member(json, "input")) == NULL || json_first(json_member(json, "output")) == NULL)
    return failure(
        TRITONSERVER_ERROR_INVALID_ARG,
        "config.pbtxt lists no inputs or no outputs: build it with `modelyard build`");
  TRY(TRITONBACKEND_ModelRepository(model, &kind, &folder));
  TRY(TRITONBACKEND_ModelVersion(model, &version));
  ModelState *state = model_state(json, folder, version);
  Error *error = TRITONBACKEND_ModelSetState(model, state);
  if (error != NULL) forget_model(state);
  return error;
}

EXPORT Error *TRITONBACKEND_ModelInitialize(TRITONBACKEND_Model *model)
{
  TRITONSERVER_Message *message;
  const char *text;
  size_t bytes;
  TRY(TRITONBACKEND_ModelConfig(model, 1, &message));
  Error *error = TRITONSERVER_MessageSerializeToJson(message, &text, &bytes);
  if (error == NULL) {
    char *json = strndup(text, bytes);
    error = remember(model, json);
    free(json);
  }
  log_and_drop(TRITONSERVER_MessageDelete(message));
  return error;
}

EXPORT Error *TRITONBACKEND_ModelFinalize(TRITONBACKEND_Model *model)
{
  void *state;
  TRY(TRITONBACKEND_ModelState(model, &state));
  if (state != NULL) forget_model(state);
  return NULL;
}
