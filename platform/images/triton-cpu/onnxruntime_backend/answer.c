/* onnxruntime's values -> outputs of responses. */
#include <stdlib.h>
#include <string.h>

#include "backend.h"

static Error *read_shape(const char *name, OrtValue *value, Result *result)
{
  OrtTensorTypeAndShapeInfo *info;
  ONNXTensorElementDataType element = ONNX_TENSOR_UNDEFINED;
  TRY_ORT(GetTensorTypeAndShape(value, &info));
  OrtStatus *status = ort.api->GetTensorElementType(info, &element);
  if (status == NULL) status = ort.api->GetDimensionsCount(info, &result->dimensions);
  if (status == NULL && result->dimensions <= MOST_DIMENSIONS)
    status = ort.api->GetDimensions(info, result->shape, result->dimensions);
  ort.api->ReleaseTensorTypeAndShapeInfo(info);
  TRY(of_onnxruntime(status));
  result->type = element_type(element);
  if (result->type == NULL || result->dimensions > MOST_DIMENSIONS)
    return failure(TRITONSERVER_ERROR_UNSUPPORTED, "%s has a type or a rank that Triton lacks", name);
  return NULL;
}

static Error *read_strings(const OrtValue *value, Result *result)
{
  size_t count = (size_t)elements(result->shape, result->dimensions), bytes;
  TRY_ORT(GetStringTensorDataLength(value, &bytes));
  result->starts = allocated(count + 1, sizeof *result->starts);
  result->data = result->text = allocated(bytes + 1, 1);
  if (count > 0) TRY_ORT(GetStringTensorContent(value, result->text, bytes, result->starts, count));
  result->starts[count] = bytes;
  return NULL;
}

/* The caller frees `text` and `starts`; `data` of numbers belongs to `value`. */
Error *read_result(const char *name, OrtValue *value, Result *result)
{
  ONNXType kind;
  void *data;
  *result = (Result){0};
  TRY_ORT(GetValueType(value, &kind));
  if (kind != ONNX_TYPE_TENSOR) return failure(TRITONSERVER_ERROR_UNSUPPORTED, "%s is not a tensor", name);
  TRY(read_shape(name, value, result));
  if (result->type->bytes == 0) return read_strings(value, result);
  TRY_ORT(GetTensorMutableData(value, &data));
  result->data = data;
  return NULL;
}

static void write_strings(const Result *result, int64_t first, int64_t count, char *to)
{
  for (int64_t at = first; at < first + count; ++at) {
    uint32_t length = (uint32_t)(result->starts[at + 1] - result->starts[at]);
    memcpy(to, &length, sizeof length);
    memcpy(to + sizeof length, result->text + result->starts[at], length);
    to += sizeof length + length;
  }
}

/* Adds an output; of a joined run (`part`) only the `rows` from `first_row`. */
Error *answer(
    const char *name, const Result *result, int64_t first_row, int64_t rows, bool part,
    TRITONBACKEND_Response *response)
{
  TRITONBACKEND_Output *output;
  TRITONSERVER_MemoryType memory = TRITONSERVER_MEMORY_CPU;
  int64_t id = 0, first = 0, shape[MOST_DIMENSIONS];
  void *to;
  memcpy(shape, result->shape, result->dimensions * sizeof *shape);
  if (part) {
    shape[0] = rows;
    first = first_row * elements(shape + 1, result->dimensions - 1);
  }
  int64_t count = elements(shape, result->dimensions);
  size_t each = result->type->bytes, bytes = (size_t)count * each;
  if (each == 0) bytes = result->starts[first + count] - result->starts[first] + sizeof(uint32_t) * (size_t)count;
  TRY(TRITONBACKEND_ResponseOutput(response, &output, name, result->type->triton, shape, (uint32_t)result->dimensions));
  TRY(TRITONBACKEND_OutputBuffer(output, &to, bytes, &memory, &id));
  if (memory == TRITONSERVER_MEMORY_GPU)
    return failure(TRITONSERVER_ERROR_UNSUPPORTED, "the output is wanted on a GPU, and this server runs on CPUs");
  if (each == 0)
    write_strings(result, first, count, to);
  else if (bytes > 0)
    memcpy(to, result->data + (size_t)first * each, bytes);
  return NULL;
}
