/* Errors, and whose fault they are.
 *
 * Rollouts count INTERNAL (HTTP 500) against the model and INVALID_ARG (400) against nobody, so a request is to blame
 * only where it is known that another one to the same model would have been answered: an input of a shape that the
 * graph refuses, or an index outside a table that stands as this number in an integer input. An index that the graph
 * computed itself is the model's failure.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

Error *failure(TRITONSERVER_Error_Code code, const char *format, ...)
{
  char sentence[1024];
  va_list values;
  va_start(values, format);
  vsnprintf(sentence, sizeof sentence, format, values);
  va_end(values);
  return TRITONSERVER_ErrorNew(code, sentence);
}

Error *of_onnxruntime(OrtStatus *status)
{
  if (status == NULL) return NULL;
  Error *error = TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INTERNAL, ort.api->GetErrorMessage(status));
  ort.api->ReleaseStatus(status);
  return error;
}

static bool holds(const char *data, int64_t count, TRITONSERVER_DataType type, long long number)
{
#define SEARCH(kind)                                  \
  for (int64_t at = 0; at < count; ++at) {            \
    kind one;                                         \
    memcpy(&one, data + (size_t)at * sizeof one, sizeof one); \
    if ((long long)one == number) return true;        \
  }                                                   \
  return false
  switch (type) {
    case TRITONSERVER_TYPE_INT8: SEARCH(int8_t);
    case TRITONSERVER_TYPE_INT16: SEARCH(int16_t);
    case TRITONSERVER_TYPE_INT32: SEARCH(int32_t);
    case TRITONSERVER_TYPE_INT64: SEARCH(int64_t);
    case TRITONSERVER_TYPE_UINT8: SEARCH(uint8_t);
    case TRITONSERVER_TYPE_UINT16: SEARCH(uint16_t);
    case TRITONSERVER_TYPE_UINT32: SEARCH(uint32_t);
    case TRITONSERVER_TYPE_UINT64: SEARCH(uint64_t);
    default: return false;
  }
#undef SEARCH
}

/* Whether one of the inputs that were fed holds this number. */
static bool was_given(const Session *session, long long number)
{
  for (uint32_t at = 0; at < session->inputs; ++at) {
    Result input;
    if (session->fed[at] == NULL || session->input[at].type->bytes == 0) continue;
    Error *error = read_result(session->input[at].name, session->fed[at], &input);
    if (error != NULL) {
      TRITONSERVER_ErrorDelete(error);
      continue;
    }
    if (holds(input.data, elements(input.shape, input.dimensions), input.type->triton, number)) return true;
  }
  return false;
}

static bool is_of_the_request(const char *sentence, const Session *session)
{
  static const char outside[] = "indices element out of data bounds, idx=";
  if (strstr(sentence, "Invalid rank for input: ") != NULL) return true;
  if (strstr(sentence, "Got invalid dimensions for input: ") != NULL) return true;
  const char *index = strstr(sentence, outside);
  return index != NULL && was_given(session, strtoll(index + sizeof outside - 1, NULL, 10));
}

Error *of_run(OrtStatus *status, const Session *session)
{
  if (status == NULL) return NULL;
  const char *sentence = ort.api->GetErrorMessage(status);
  bool of_the_request = is_of_the_request(sentence, session);
  Error *error =
      TRITONSERVER_ErrorNew(of_the_request ? TRITONSERVER_ERROR_INVALID_ARG : TRITONSERVER_ERROR_INTERNAL, sentence);
  ort.api->ReleaseStatus(status);
  return error;
}

void log_and_drop(Error *error)
{
  if (error == NULL) return;
  Error *unlogged =
      TRITONSERVER_LogMessage(TRITONSERVER_LOG_ERROR, __FILE__, __LINE__, TRITONSERVER_ErrorMessage(error));
  if (unlogged != NULL) TRITONSERVER_ErrorDelete(unlogged);
  TRITONSERVER_ErrorDelete(error);
}

/* Zeroed memory for bookkeeping. Without these few bytes nothing can be answered: the server ends, and is restarted. */
void *allocated(size_t count, size_t bytes)
{
  void *memory = calloc(count > 0 ? count : 1, bytes);
  if (memory != NULL) return memory;
  fputs("out of memory\n", stderr);
  abort();
}
