/* Begin and end of the backend; finds onnxruntime where assemble.py or a package has put it. */
#include <dlfcn.h>
#include <glob.h>
#include <malloc.h>
#include <stdio.h>

#include "backend.h"

Onnxruntime ort;

static void *opened(const char *folder)
{
  static const char *const places[] = {
      "%s/libonnxruntime.so.*", "%s/../../site/onnxruntime/capi/libonnxruntime.so.*"};
  for (size_t at = 0; at < sizeof places / sizeof *places; ++at) {
    char pattern[4096];
    glob_t found;
    void *library = NULL;
    snprintf(pattern, sizeof pattern, places[at], folder);
    if (glob(pattern, 0, NULL, &found) == 0) library = dlopen(found.gl_pathv[0], RTLD_NOW | RTLD_LOCAL);
    globfree(&found);
    if (library != NULL) return library;
  }
  return NULL;
}

static Error *find_onnxruntime(const char *folder)
{
  void *library = opened(folder);
  if (library == NULL) {
    const char *why = dlerror();
    return failure(
        TRITONSERVER_ERROR_UNAVAILABLE, "onnxruntime's library cannot be opened: %s",
        why != NULL ? why : "no libonnxruntime.so in site/onnxruntime/capi");
  }
  const OrtApiBase *(*base)(void) = (const OrtApiBase *(*)(void))dlsym(library, "OrtGetApiBase");
  ort.api = base != NULL ? base()->GetApi(ORT_API_VERSION) : NULL;
  if (ort.api == NULL)
    return failure(TRITONSERVER_ERROR_UNSUPPORTED, "this onnxruntime has no version %d of its API", ORT_API_VERSION);
  TRY_ORT(CreateEnv(ORT_LOGGING_LEVEL_ERROR, "modelyard", &ort.environment));
  TRY_ORT(CreateCpuMemoryInfo(ORT_DEVICE_ALLOCATOR, ORT_MEM_TYPE_DEFAULT, &ort.memory));
  TRY_ORT(GetAllocatorWithDefaultOptions(&ort.allocator));
  return NULL;
}

EXPORT Error *TRITONBACKEND_Initialize(TRITONBACKEND_Backend *backend)
{
  uint32_t major, minor;
  TRITONBACKEND_ArtifactType kind;
  const char *folder;
  TRY(TRITONBACKEND_ApiVersion(&major, &minor));
  if (major != 1) return failure(TRITONSERVER_ERROR_UNSUPPORTED, "Triton's backend API is %u, this wants 1", major);
  TRY(TRITONBACKEND_BackendArtifacts(backend, &kind, &folder));
  /* Without it malloc takes weights from its arenas once a model was unloaded, and these keep what is freed. */
  mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
  return find_onnxruntime(folder);
}

EXPORT Error *TRITONBACKEND_Finalize(TRITONBACKEND_Backend *backend)
{
  (void)backend;
  if (ort.memory != NULL) ort.api->ReleaseMemoryInfo(ort.memory);
  if (ort.environment != NULL) ort.api->ReleaseEnv(ort.environment);
  ort = (Onnxruntime){0};
  return NULL;
}

EXPORT Error *TRITONBACKEND_GetBackendAttribute(
    TRITONBACKEND_Backend *backend, TRITONBACKEND_BackendAttribute *attributes)
{
  (void)backend;
  return TRITONBACKEND_BackendAttributeSetParallelModelInstanceLoading(attributes, true);
}
