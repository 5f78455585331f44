/* The part of onnxruntime's C API that this backend uses, declared from its documentation (API 18 of onnxruntime 1.18).
 *
 * The library gives one table of functions. A new version only adds to its end, so a function's place in the table is
 * the ABI: the gaps below are functions that we do not use, and the assertions say the places again.
 * https://onnxruntime.ai/docs/api/c/
 */
#ifndef MODELYARD_ONNXRUNTIME_API_H
#define MODELYARD_ONNXRUNTIME_API_H

#include <stddef.h>
#include <stdint.h>

enum { ORT_API_VERSION = 18 };

typedef struct OrtStatus OrtStatus;
typedef struct OrtEnv OrtEnv;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtValue OrtValue;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;

enum { ORT_LOGGING_LEVEL_ERROR = 3, ORT_DEVICE_ALLOCATOR = 0, ORT_MEM_TYPE_DEFAULT = 0 };

typedef enum { ONNX_TYPE_UNKNOWN, ONNX_TYPE_TENSOR, ONNX_TYPE_SEQUENCE, ONNX_TYPE_MAP } ONNXType;

typedef enum {
  ONNX_TENSOR_UNDEFINED,
  ONNX_TENSOR_FLOAT,
  ONNX_TENSOR_UINT8,
  ONNX_TENSOR_INT8,
  ONNX_TENSOR_UINT16,
  ONNX_TENSOR_INT16,
  ONNX_TENSOR_INT32,
  ONNX_TENSOR_INT64,
  ONNX_TENSOR_STRING,
  ONNX_TENSOR_BOOL,
  ONNX_TENSOR_FLOAT16,
  ONNX_TENSOR_DOUBLE,
  ONNX_TENSOR_UINT32,
  ONNX_TENSOR_UINT64,
  ONNX_TENSOR_COMPLEX64,
  ONNX_TENSOR_COMPLEX128,
  ONNX_TENSOR_BFLOAT16
} ONNXTensorElementDataType;

typedef struct {
  void *gap_0[2];
  const char *(*GetErrorMessage)(const OrtStatus *);
  OrtStatus *(*CreateEnv)(int severity, const char *name, OrtEnv **);
  void *gap_4[3];
  OrtStatus *(*CreateSession)(const OrtEnv *, const char *path, const OrtSessionOptions *, OrtSession **);
  void *gap_8[1];
  OrtStatus *(*Run)(
      OrtSession *, const OrtRunOptions *, const char *const *input_names, const OrtValue *const *inputs,
      size_t input_count, const char *const *output_names, size_t output_count, OrtValue **outputs);
  OrtStatus *(*CreateSessionOptions)(OrtSessionOptions **);
  void *gap_11[11];
  OrtStatus *(*SetSessionLogSeverityLevel)(OrtSessionOptions *, int);
  void *gap_23[1];
  OrtStatus *(*SetIntraOpNumThreads)(OrtSessionOptions *, int);
  OrtStatus *(*SetInterOpNumThreads)(OrtSessionOptions *, int);
  void *gap_26[4];
  OrtStatus *(*SessionGetInputCount)(const OrtSession *, size_t *);
  OrtStatus *(*SessionGetOutputCount)(const OrtSession *, size_t *);
  void *gap_32[1];
  OrtStatus *(*SessionGetInputTypeInfo)(const OrtSession *, size_t index, OrtTypeInfo **);
  OrtStatus *(*SessionGetOutputTypeInfo)(const OrtSession *, size_t index, OrtTypeInfo **);
  void *gap_35[1];
  OrtStatus *(*SessionGetInputName)(const OrtSession *, size_t index, OrtAllocator *, char **);
  OrtStatus *(*SessionGetOutputName)(const OrtSession *, size_t index, OrtAllocator *, char **);
  void *gap_38[10];
  OrtStatus *(*CreateTensorAsOrtValue)(
      OrtAllocator *, const int64_t *shape, size_t dimensions, ONNXTensorElementDataType, OrtValue **);
  OrtStatus *(*CreateTensorWithDataAsOrtValue)(
      const OrtMemoryInfo *, void *data, size_t bytes, const int64_t *shape, size_t dimensions,
      ONNXTensorElementDataType, OrtValue **);
  void *gap_50[1];
  OrtStatus *(*GetTensorMutableData)(OrtValue *, void **);
  void *gap_52[1];
  OrtStatus *(*GetStringTensorDataLength)(const OrtValue *, size_t *bytes);
  OrtStatus *(*GetStringTensorContent)(const OrtValue *, void *to, size_t bytes, size_t *starts, size_t count);
  OrtStatus *(*CastTypeInfoToTensorInfo)(const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **);
  OrtStatus *(*GetOnnxTypeFromTypeInfo)(const OrtTypeInfo *, ONNXType *);
  void *gap_57[3];
  OrtStatus *(*GetTensorElementType)(const OrtTensorTypeAndShapeInfo *, ONNXTensorElementDataType *);
  OrtStatus *(*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo *, size_t *);
  OrtStatus *(*GetDimensions)(const OrtTensorTypeAndShapeInfo *, int64_t *, size_t count);
  void *gap_63[2];
  OrtStatus *(*GetTensorTypeAndShape)(const OrtValue *, OrtTensorTypeAndShapeInfo **);
  void *gap_66[1];
  OrtStatus *(*GetValueType)(const OrtValue *, ONNXType *);
  void *gap_68[1];
  OrtStatus *(*CreateCpuMemoryInfo)(int allocator, int memory, OrtMemoryInfo **);
  void *gap_70[6];
  OrtStatus *(*AllocatorFree)(OrtAllocator *, void *);
  void *gap_77[1];
  OrtStatus *(*GetAllocatorWithDefaultOptions)(OrtAllocator **);
  void *gap_79[13];
  void (*ReleaseEnv)(OrtEnv *);
  void (*ReleaseStatus)(OrtStatus *);
  void (*ReleaseMemoryInfo)(OrtMemoryInfo *);
  void (*ReleaseSession)(OrtSession *);
  void (*ReleaseValue)(OrtValue *);
  void *gap_97[1];
  void (*ReleaseTypeInfo)(OrtTypeInfo *);
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo *);
  void (*ReleaseSessionOptions)(OrtSessionOptions *);
  void *gap_101[29];
  OrtStatus *(*AddSessionConfigEntry)(OrtSessionOptions *, const char *key, const char *value);
  void *gap_131[121];
  OrtStatus *(*GetResizedStringTensorElementBuffer)(OrtValue *, size_t index, size_t bytes, char **);
} OrtApi;

#define AT(function, place) _Static_assert(offsetof(OrtApi, function) == (place) * sizeof(void *), #function)
AT(GetErrorMessage, 2);
AT(CreateSession, 7);
AT(SetSessionLogSeverityLevel, 22);
AT(SessionGetInputCount, 30);
AT(SessionGetInputName, 36);
AT(CreateTensorAsOrtValue, 48);
AT(GetTensorMutableData, 51);
AT(GetOnnxTypeFromTypeInfo, 56);
AT(GetTensorElementType, 60);
AT(GetValueType, 67);
AT(AllocatorFree, 76);
AT(ReleaseEnv, 92);
AT(ReleaseSessionOptions, 100);
AT(AddSessionConfigEntry, 130);
AT(GetResizedStringTensorElementBuffer, 252);
#undef AT

typedef struct {
  const OrtApi *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)(void);
} OrtApiBase;

#endif
