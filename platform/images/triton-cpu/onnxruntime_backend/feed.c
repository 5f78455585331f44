/* Inputs of requests -> onnxruntime's values. What one request gives in one piece is used where it lies. */
#include <stdlib.h>
#include <string.h>

#include "backend.h"

static Error *piece(const Given *given, uint32_t index, const void **data, uint64_t *bytes)
{
  TRITONSERVER_MemoryType memory = TRITONSERVER_MEMORY_CPU;
  int64_t id = 0;
  TRY(TRITONBACKEND_InputBuffer(given->handle, index, data, bytes, &memory, &id));
  if (memory == TRITONSERVER_MEMORY_GPU)
    return failure(TRITONSERVER_ERROR_UNSUPPORTED, "the input lies on a GPU, and this server runs on CPUs");
  return NULL;
}

static Error *make_room(Tensor *tensor, size_t bytes)
{
  if (tensor->buffer != NULL && tensor->room >= bytes) return NULL;
  free(tensor->buffer);
  tensor->room = (bytes / ALIGNMENT + 1) * ALIGNMENT;
  tensor->buffer = aligned_alloc(ALIGNMENT, tensor->room);
  if (tensor->buffer != NULL) return NULL;
  tensor->room = 0;
  return failure(TRITONSERVER_ERROR_UNAVAILABLE, "no memory for %zu bytes of input '%s'", bytes, tensor->name);
}

/* The bytes that all requests give for an input, one behind the other. */
static Error *join(Tensor *tensor, uint32_t input, Pending **pending, uint32_t count, size_t bytes)
{
  size_t filled = 0;
  TRY(make_room(tensor, bytes));
  for (uint32_t at = 0; at < count; ++at) {
    const Given *given = &pending[at]->given[input];
    for (uint32_t index = 0; index < given->buffers; ++index) {
      const void *data;
      uint64_t size;
      TRY(piece(given, index, &data, &size));
      if (size > bytes - filled)
        return failure(TRITONSERVER_ERROR_INTERNAL, "input '%s' has more bytes than it says", tensor->name);
      memcpy(tensor->buffer + filled, data, size);
      filled += size;
    }
  }
  if (filled == bytes) return NULL;
  return failure(TRITONSERVER_ERROR_INTERNAL, "input '%s' has fewer bytes than it says", tensor->name);
}

static Error *gather(
    Tensor *tensor, uint32_t input, Pending **pending, uint32_t count, const void **data, size_t *bytes)
{
  const Given *given = &pending[0]->given[input];
  *bytes = 0;
  *data = NULL;
  for (uint32_t at = 0; at < count; ++at) *bytes += pending[at]->given[input].bytes;
  if (count == 1 && given->buffers == 1) {
    uint64_t size;
    TRY(piece(given, 0, data, &size));
    if (size == *bytes && *bytes > 0 && (uintptr_t)*data % 16 == 0) return NULL;
  }
  TRY(join(tensor, input, pending, count, *bytes));
  *data = tensor->buffer;
  return NULL;
}

/* ---- strings ---- */

/* Bytes of the character that begins at `at`; 0 where it is not UTF-8 (RFC 3629: no surrogates, nothing overlong). */
static size_t character(const unsigned char *at, size_t left)
{
  static const struct {
    unsigned char first, last, low, high;
    size_t bytes;
  } forms[] = {
      {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
      {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
      {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
  };
  for (size_t form = 0; form < sizeof forms / sizeof *forms; ++form) {
    if (*at < forms[form].first || *at > forms[form].last) continue;
    if (forms[form].bytes > left) return 0;
    if (forms[form].bytes > 1 && (at[1] < forms[form].low || at[1] > forms[form].high)) return 0;
    for (size_t next = 2; next < forms[form].bytes; ++next)
      if (at[next] < 0x80 || at[next] > 0xBF) return 0;
    return forms[form].bytes;
  }
  return 0;
}

static bool is_utf8(const char *text, size_t bytes)
{
  const unsigned char *at = (const unsigned char *)text;
  while (bytes > 0) {
    size_t length = character(at, bytes);
    if (length == 0) return false;
    at += length;
    bytes -= length;
  }
  return true;
}

/* Triton's strings are a length of four bytes and the text; onnxruntime gets each in memory of its own. */
static Error *fill(const Tensor *tensor, const char *from, size_t bytes, int64_t count, OrtValue *value)
{
  const char *end = from + bytes;
  for (int64_t at = 0; at < count; ++at) {
    uint32_t length;
    char *to;
    if ((size_t)(end - from) < sizeof length)
      return failure(TRITONSERVER_ERROR_INVALID_ARG, "input '%s' has fewer strings than its shape says", tensor->name);
    memcpy(&length, from, sizeof length);
    from += sizeof length;
    if ((size_t)(end - from) < length)
      return failure(TRITONSERVER_ERROR_INVALID_ARG, "a string of input '%s' is cut off", tensor->name);
    if (!is_utf8(from, length))
      return failure(TRITONSERVER_ERROR_INVALID_ARG, "a string of input '%s' is not utf-8 text", tensor->name);
    TRY_ORT(GetResizedStringTensorElementBuffer(value, (size_t)at, length, &to));
    memcpy(to, from, length);
    from += length;
  }
  if (from == end) return NULL;
  return failure(TRITONSERVER_ERROR_INVALID_ARG, "input '%s' has more strings than its shape says", tensor->name);
}

/* ---- values ---- */

static Error *make_value(
    Tensor *tensor, uint32_t input, Pending **pending, uint32_t count, int64_t rows, OrtValue **value)
{
  const Given *given = &pending[0]->given[input];
  int64_t shape[MOST_DIMENSIONS];
  const void *data;
  size_t bytes;
  memcpy(shape, given->shape, given->dimensions * sizeof *shape);
  if (count > 1) shape[0] = rows;
  TRY(gather(tensor, input, pending, count, &data, &bytes));
  if (tensor->type->bytes > 0) {
    TRY_ORT(CreateTensorWithDataAsOrtValue(
        ort.memory, (void *)data, bytes, shape, given->dimensions, tensor->type->onnx, value));
    return NULL;
  }
  TRY_ORT(CreateTensorAsOrtValue(ort.allocator, shape, given->dimensions, tensor->type->onnx, value));
  return fill(tensor, data, bytes, elements(shape, given->dimensions), *value);
}

/* Sets session->fed (by input) and session->fed_names (the first `fed`). */
Error *feed(Session *session, Pending **pending, uint32_t count, int64_t rows, uint32_t *fed)
{
  *fed = 0;
  for (uint32_t at = 0; at < session->inputs; ++at) {
    if (pending[0]->given[at].handle == NULL) continue;
    TRY(make_value(&session->input[at], at, pending, count, rows, &session->fed[at]));
    session->fed_names[(*fed)++] = session->input[at].name;
  }
  return NULL;
}
