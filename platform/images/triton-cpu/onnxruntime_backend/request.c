/* What a request gives, and which requests can run together: those that give the same inputs, alike but for rows. */
#include <string.h>

#include "backend.h"

static Error *read_input(const Tensor *tensor, Given *given)
{
  TRITONSERVER_DataType type;
  TRY(TRITONBACKEND_InputProperties(
      given->handle, NULL, &type, &given->shape, &given->dimensions, &given->bytes, &given->buffers));
  if (type != tensor->type->triton)
    return failure(
        TRITONSERVER_ERROR_INVALID_ARG, "input '%s' is %s, not %s", tensor->name,
        TRITONSERVER_DataTypeString(tensor->type->triton), TRITONSERVER_DataTypeString(type));
  int64_t count = elements(given->shape, given->dimensions);
  size_t each = tensor->type->bytes;
  uint64_t expected;
  if (count < 0 || given->dimensions > MOST_DIMENSIONS || __builtin_mul_overflow((uint64_t)count, each, &expected))
    return failure(TRITONSERVER_ERROR_INVALID_ARG, "input '%s' has a shape that is too large", tensor->name);
  if (each > 0 && given->bytes != expected)
    return failure(
        TRITONSERVER_ERROR_INVALID_ARG, "input '%s' has %lu bytes, where its shape needs %lu", tensor->name,
        (unsigned long)given->bytes, (unsigned long)expected);
  if (each == 0 && given->bytes / 4 < (uint64_t)count) /* every string begins with its length, of four bytes */
    return failure(TRITONSERVER_ERROR_INVALID_ARG, "input '%s' has fewer strings than its shape says", tensor->name);
  return NULL;
}

/* NULL where it is missing: it is optional then, or onnxruntime says that it is not. */
static TRITONBACKEND_Input *input_of(TRITONBACKEND_Request *request, const char *name)
{
  TRITONBACKEND_Input *input;
  Error *missing = TRITONBACKEND_RequestInput(request, name, &input);
  if (missing == NULL) return input;
  TRITONSERVER_ErrorDelete(missing);
  return NULL;
}

static Error *read_inputs(const Session *session, Pending *pending)
{
  bool counted = false;
  pending->rows = 1;
  for (uint32_t at = 0; at < session->inputs; ++at) {
    const Tensor *tensor = &session->input[at];
    Given *given = &pending->given[at];
    given->handle = input_of(pending->request, tensor->name);
    if (given->handle == NULL) continue;
    TRY(read_input(tensor, given));
    if (!session->batches) continue;
    if (given->dimensions == 0 || (counted && given->shape[0] != pending->rows))
      return failure(TRITONSERVER_ERROR_INVALID_ARG, "the inputs disagree about the number of rows");
    pending->rows = given->shape[0];
    counted = true;
  }
  return NULL;
}

Error *read_request(const Session *session, Pending *pending)
{
  bool cancelled = false;
  uint32_t wanted;
  TRY(TRITONBACKEND_RequestIsCancelled(pending->request, &cancelled));
  if (cancelled) return failure(TRITONSERVER_ERROR_CANCELLED, "the client has cancelled the request");
  TRY(read_inputs(session, pending));
  TRY(TRITONBACKEND_RequestOutputCount(pending->request, &wanted));
  for (uint32_t at = 0; at < wanted; ++at) {
    const char *name;
    TRY(TRITONBACKEND_RequestOutputName(pending->request, at, &name));
    for (uint32_t output = 0; output < session->outputs; ++output)
      if (strcmp(session->output[output].name, name) == 0) pending->wants[output] = true;
  }
  return NULL;
}

static bool are_alike(const Given *one, const Given *other)
{
  if (one->handle == NULL || other->handle == NULL) return one->handle == other->handle;
  return one->dimensions == other->dimensions &&
         memcmp(one->shape + 1, other->shape + 1, (one->dimensions - 1) * sizeof *one->shape) == 0;
}

bool can_run_together(const Session *session, const Pending *one, const Pending *other)
{
  if (!session->batches) return false;
  for (uint32_t at = 0; at < session->inputs; ++at)
    if (!are_alike(&one->given[at], &other->given[at])) return false;
  return true;
}
