/* What the parts of this backend share.
 *
 *   library.c    begin and end of the backend; finds onnxruntime
 *   config.c     what config.pbtxt says of a model (json.c reads it)
 *   cpus.c       how many CPUs there are
 *   session.c    an instance of a model: its session, its tensors' names and types
 *   request.c    what a request gives, and which requests can run together
 *   feed.c       inputs of requests -> onnxruntime's values
 *   answer.c     onnxruntime's values -> outputs of responses
 *   execute.c    runs what Triton has batched together
 *   failures.c   errors, and whose fault they are
 *
 * A function that can fail returns an error that its caller owns, or NULL. Triton never runs two executions of one
 * instance at once, so what a session holds needs no lock.
 */
#ifndef MODELYARD_BACKEND_H
#define MODELYARD_BACKEND_H

#include "onnxruntime_api.h"
#include "triton_api.h"

typedef TRITONSERVER_Error Error;

enum { MOST_DIMENSIONS = 32, ALIGNMENT = 64, KEPT_BYTES = 4 << 20 };

#define EXPORT __attribute__((visibility("default")))

/* Returns from the calling function with the error, if there is one. */
#define TRY(call)                       \
  do {                                  \
    Error *failed_ = (call);            \
    if (failed_ != NULL) return failed_; \
  } while (0)
#define TRY_ORT(call) TRY(of_onnxruntime(ort.api->call))

/* onnxruntime, from TRITONBACKEND_Initialize to TRITONBACKEND_Finalize. */
typedef struct {
  const OrtApi *api;
  OrtEnv *environment;
  OrtMemoryInfo *memory;
  OrtAllocator *allocator;
} Onnxruntime;
extern Onnxruntime ort;

/* A type that both know; `bytes` of one element, 0 for strings. */
typedef struct {
  ONNXTensorElementDataType onnx;
  TRITONSERVER_DataType triton;
  size_t bytes;
} ElementType;

/* What config.pbtxt says of a model. */
typedef struct {
  char *json;
  char *path;
  char *spinning;
  bool batches;
  int intra_threads, inter_threads;
} ModelState;

/* A tensor of the graph. `buffer`: where inputs of several requests are joined, of `room` bytes. */
typedef struct {
  char *name;
  const ElementType *type;
  char *buffer;
  size_t room;
} Tensor;

/* What onnxruntime computed for one output. Strings: `bytes` of text, string i begins at starts[i]. */
typedef struct {
  const ElementType *type;
  int64_t shape[MOST_DIMENSIONS];
  size_t dimensions;
  const char *data;
  char *text;
  size_t *starts;
} Result;

/* An instance. The arrays behind `output` belong to the execution that runs. */
typedef struct {
  OrtSession *session;
  bool batches;
  uint32_t inputs, outputs;
  Tensor *input, *output;
  OrtValue **fed, **computed;
  const char **fed_names, **wanted_names;
  uint32_t *wanted;
  Result *result;
} Session;

/* What a request gives for one input; `handle` is NULL where it gives nothing. */
typedef struct {
  TRITONBACKEND_Input *handle;
  const int64_t *shape;
  uint32_t dimensions, buffers;
  uint64_t bytes;
} Given;

/* A request that waits for its answer. `rows` is its share of a batch, 1 where the model does not batch. */
typedef struct {
  TRITONBACKEND_Request *request;
  TRITONBACKEND_Response *response;
  Given *given;
  bool *wants;
  int64_t rows;
  bool answered;
} Pending;

/* failures.c */
Error *failure(TRITONSERVER_Error_Code, const char *format, ...) __attribute__((format(printf, 2, 3)));
Error *of_onnxruntime(OrtStatus *);
Error *of_run(OrtStatus *, const Session *);
void log_and_drop(Error *);
void *allocated(size_t count, size_t bytes);

/* cpus.c */
int usable_cpus(void);

/* config.c */
ModelState *model_state(const char *json, const char *folder, uint64_t version);
void forget_model(ModelState *);

/* session.c */
const ElementType *element_type(ONNXTensorElementDataType);
int64_t elements(const int64_t *shape, size_t dimensions);
void close_session(Session *);

/* request.c */
Error *read_request(const Session *, Pending *);
bool can_run_together(const Session *, const Pending *, const Pending *);

/* feed.c */
Error *feed(Session *, Pending **, uint32_t count, int64_t rows, uint32_t *fed);

/* answer.c */
Error *read_result(const char *name, OrtValue *, Result *);
Error *answer(const char *name, const Result *, int64_t first_row, int64_t rows, bool part, TRITONBACKEND_Response *);

#endif
