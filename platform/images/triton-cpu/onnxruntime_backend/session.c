/* An instance of a model: an onnxruntime session, and what its inputs and outputs are called and made of. */
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "json.h"

static const ElementType element_types[] = {
    {ONNX_TENSOR_FLOAT, TRITONSERVER_TYPE_FP32, 4},   {ONNX_TENSOR_DOUBLE, TRITONSERVER_TYPE_FP64, 8},
    {ONNX_TENSOR_FLOAT16, TRITONSERVER_TYPE_FP16, 2}, {ONNX_TENSOR_BFLOAT16, TRITONSERVER_TYPE_BF16, 2},
    {ONNX_TENSOR_INT64, TRITONSERVER_TYPE_INT64, 8},  {ONNX_TENSOR_INT32, TRITONSERVER_TYPE_INT32, 4},
    {ONNX_TENSOR_INT16, TRITONSERVER_TYPE_INT16, 2},  {ONNX_TENSOR_INT8, TRITONSERVER_TYPE_INT8, 1},
    {ONNX_TENSOR_UINT64, TRITONSERVER_TYPE_UINT64, 8}, {ONNX_TENSOR_UINT32, TRITONSERVER_TYPE_UINT32, 4},
    {ONNX_TENSOR_UINT16, TRITONSERVER_TYPE_UINT16, 2}, {ONNX_TENSOR_UINT8, TRITONSERVER_TYPE_UINT8, 1},
    {ONNX_TENSOR_BOOL, TRITONSERVER_TYPE_BOOL, 1},    {ONNX_TENSOR_STRING, TRITONSERVER_TYPE_BYTES, 0},
};

const ElementType *element_type(ONNXTensorElementDataType onnx)
{
  for (size_t at = 0; at < sizeof element_types / sizeof *element_types; ++at)
    if (element_types[at].onnx == onnx) return &element_types[at];
  return NULL;
}

/* Elements of a shape; -1 where a dimension is unknown or there are too many to count. */
int64_t elements(const int64_t *shape, size_t dimensions)
{
  int64_t count = 1;
  for (size_t at = 0; at < dimensions; ++at)
    if (shape[at] < 0 || __builtin_mul_overflow(count, shape[at], &count)) return -1;
  return count;
}

/* ---- the graph's tensors ---- */

static Error *take_name(char *of_graph, Tensor *tensor)
{
  tensor->name = strdup(of_graph);
  TRY_ORT(AllocatorFree(ort.allocator, of_graph));
  return NULL;
}

static Error *type_of(const OrtTypeInfo *info, const Tensor *tensor, const ElementType **type)
{
  static const char *const kinds[] = {"of no known kind", "a tensor", "a sequence", "a map"};
  const OrtTensorTypeAndShapeInfo *shape;
  ONNXTensorElementDataType element;
  ONNXType kind;
  TRY_ORT(GetOnnxTypeFromTypeInfo(info, &kind));
  if (kind != ONNX_TYPE_TENSOR)
    return failure(
        TRITONSERVER_ERROR_UNSUPPORTED, "%s is %s, and Triton serves tensors alone: export the model without it",
        tensor->name, kinds[kind <= ONNX_TYPE_MAP ? kind : 0]);
  TRY_ORT(CastTypeInfoToTensorInfo(info, &shape));
  TRY_ORT(GetTensorElementType(shape, &element));
  *type = element_type(element);
  if (*type != NULL) return NULL;
  return failure(TRITONSERVER_ERROR_UNSUPPORTED, "%s has a type of numbers that Triton lacks", tensor->name);
}

static Error *describe(const OrtSession *session, uint32_t index, bool is_input, Tensor *tensor)
{
  char *name;
  OrtTypeInfo *info;
  if (is_input) {
    TRY_ORT(SessionGetInputName(session, index, ort.allocator, &name));
    TRY(take_name(name, tensor));
    TRY_ORT(SessionGetInputTypeInfo(session, index, &info));
  } else {
    TRY_ORT(SessionGetOutputName(session, index, ort.allocator, &name));
    TRY(take_name(name, tensor));
    TRY_ORT(SessionGetOutputTypeInfo(session, index, &info));
  }
  Error *error = type_of(info, tensor, &tensor->type);
  ort.api->ReleaseTypeInfo(info);
  return error;
}

static const Tensor *named(const Tensor *tensors, uint32_t count, const char *name)
{
  for (uint32_t at = 0; at < count; ++at)
    if (strcmp(tensors[at].name, name) == 0) return &tensors[at];
  return NULL;
}

/* The type that `TYPE_...` of config.pbtxt names. */
static TRITONSERVER_DataType configured_type(const char *word)
{
  static const char prefix[] = "TYPE_";
  if (strncmp(word, prefix, sizeof prefix - 1) != 0) return TRITONSERVER_TYPE_INVALID;
  word += sizeof prefix - 1;
  return TRITONSERVER_StringToDataType(strcmp(word, "STRING") == 0 ? "BYTES" : word);
}

/* What config.pbtxt says under `list` must be in the graph, with this type; otherwise every request would fail. */
static Error *check_one(const char *item, const char *list, const Tensor *tensors, uint32_t count)
{
  char *name = json_string(json_member(item, "name")), *type = json_string(json_member(item, "data_type"));
  Error *error = NULL;
  const Tensor *tensor = name != NULL ? named(tensors, count, name) : NULL;
  if (tensor == NULL)
    error = failure(
        TRITONSERVER_ERROR_INVALID_ARG, "config.pbtxt names the %s '%s', which the model lacks", list,
        name != NULL ? name : "");
  else if (type == NULL || configured_type(type) != tensor->type->triton)
    error = failure(
        TRITONSERVER_ERROR_INVALID_ARG, "config.pbtxt says that %s '%s' is %s, but it is %s", list, name,
        type != NULL ? type : "of no type", TRITONSERVER_DataTypeString(tensor->type->triton));
  free(name);
  free(type);
  return error;
}

static Error *check(const char *json, const char *list, const Tensor *tensors, uint32_t count)
{
  for (const char *item = json_first(json_member(json, list)); item != NULL; item = json_next(item))
    TRY(check_one(item, list, tensors, count));
  return NULL;
}

/* ---- the session ---- */

static OrtStatus *set(OrtSessionOptions *options, const ModelState *model)
{
  OrtStatus *status = ort.api->SetIntraOpNumThreads(options, model->intra_threads);
  if (status == NULL) status = ort.api->SetInterOpNumThreads(options, model->inter_threads);
  if (status == NULL) status = ort.api->SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_ERROR);
  /* Spinning threads would use up a container's CPU quota while they wait. */
  if (status == NULL)
    status = ort.api->AddSessionConfigEntry(
        options, "session.intra_op.allow_spinning", model->spinning != NULL ? model->spinning : "0");
  return status;
}

static Error *open_file(const ModelState *model, OrtSession **session)
{
  OrtSessionOptions *options;
  TRY_ORT(CreateSessionOptions(&options));
  OrtStatus *status = set(options, model);
  if (status == NULL) status = ort.api->CreateSession(ort.environment, model->path, options, session);
  ort.api->ReleaseSessionOptions(options);
  if (status == NULL) return NULL;
  const char *file = strrchr(model->path, '/') + 1;
  Error *error = failure(
      TRITONSERVER_ERROR_INTERNAL, "onnxruntime cannot load %s: %s", file, ort.api->GetErrorMessage(status));
  ort.api->ReleaseStatus(status);
  return error;
}

static Error *open_session(const ModelState *model, Session *session)
{
  size_t inputs, outputs;
  session->batches = model->batches;
  TRY(open_file(model, &session->session));
  TRY_ORT(SessionGetInputCount(session->session, &inputs));
  TRY_ORT(SessionGetOutputCount(session->session, &outputs));
  session->input = allocated(inputs, sizeof *session->input);
  session->inputs = (uint32_t)inputs;
  session->output = allocated(outputs, sizeof *session->output);
  session->outputs = (uint32_t)outputs;
  session->fed = allocated(inputs, sizeof *session->fed);
  session->fed_names = allocated(inputs, sizeof *session->fed_names);
  session->computed = allocated(outputs, sizeof *session->computed);
  session->wanted = allocated(outputs, sizeof *session->wanted);
  session->wanted_names = allocated(outputs, sizeof *session->wanted_names);
  session->result = allocated(outputs, sizeof *session->result);
  for (uint32_t at = 0; at < session->inputs; ++at) TRY(describe(session->session, at, true, &session->input[at]));
  for (uint32_t at = 0; at < session->outputs; ++at) TRY(describe(session->session, at, false, &session->output[at]));
  TRY(check(model->json, "input", session->input, session->inputs));
  return check(model->json, "output", session->output, session->outputs);
}

void close_session(Session *session)
{
  if (session->session != NULL) ort.api->ReleaseSession(session->session);
  for (uint32_t at = 0; at < session->inputs; ++at) {
    free(session->input[at].name);
    free(session->input[at].buffer);
  }
  for (uint32_t at = 0; at < session->outputs; ++at) free(session->output[at].name);
  free(session->input);
  free(session->output);
  free(session->fed);
  free(session->fed_names);
  free(session->computed);
  free(session->wanted);
  free(session->wanted_names);
  free(session->result);
  free(session);
}

EXPORT Error *TRITONBACKEND_ModelInstanceInitialize(TRITONBACKEND_ModelInstance *instance)
{
  TRITONBACKEND_Model *model;
  void *state;
  TRY(TRITONBACKEND_ModelInstanceModel(instance, &model));
  TRY(TRITONBACKEND_ModelState(model, &state));
  Session *session = allocated(1, sizeof *session);
  Error *error = open_session(state, session);
  if (error == NULL) error = TRITONBACKEND_ModelInstanceSetState(instance, session);
  if (error != NULL) close_session(session);
  return error;
}

EXPORT Error *TRITONBACKEND_ModelInstanceFinalize(TRITONBACKEND_ModelInstance *instance)
{
  void *session;
  TRY(TRITONBACKEND_ModelInstanceState(instance, &session));
  if (session != NULL) close_session(session);
  return NULL;
}
