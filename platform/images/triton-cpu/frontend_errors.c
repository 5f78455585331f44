/* Gives what Triton's front end says of a request it cannot use the code of a client's mistake.
 *
 * Triton 2.51 answers HTTP 500 for JSON that does not parse, lacks a member or has a wrong one, as if the server had
 * failed. The program takes TRITONSERVER_ErrorNew from libtritonserver.so; loaded before it (LD_PRELOAD), this library
 * passes every call on and changes the code only where it is INTERNAL and the sentence is one of the parser's own.
 * Only calls of the program itself are changed, not those of backends, whatever their sentences.
 *
 * It also refuses an input whose declared shape needs more than a quarter of the memory this container may use:
 * Triton fills that many bytes before it looks whether the request has so many numbers, and would be killed for it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend.h"

enum { INTERNAL = 1, INVALID_ARG = 3 }; /* TRITONSERVER_Error_Code */

/* A process that Triton starts, such as a model's Python, is none of this library's. */
__attribute__((constructor)) static void for_nobody_else(void) { unsetenv("LD_PRELOAD"); }

typedef void *(*error_new)(int code, const char *sentence);
typedef uint32_t (*byte_size)(int datatype);
typedef void *(*add_input)(void *request, const char *name, int datatype, const int64_t *shape, uint64_t dimensions);

static int begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static int of_a_body(const char *sentence)
{
  return begins(sentence, "failed to parse the request JSON buffer: ") || begins(sentence, "Unable to parse '") ||
         begins(sentence, "attempt to access ") || begins(sentence, "attempt to get members for ") ||
         begins(sentence, "failed to get request params.");
}

int from_the_program(void *caller)
{
  Dl_info of;
  struct link_map *object = NULL; /* the program is the first that was loaded, whatever it is called */
  return dladdr1(caller, &of, (void **)&object, RTLD_DL_LINKMAP) != 0 && object != NULL && object->l_prev == NULL;
}

EXPORT void *TRITONSERVER_ErrorNew(int code, const char *sentence)
{
  static error_new next;
  if (next == NULL) next = (error_new)dlsym(RTLD_NEXT, "TRITONSERVER_ErrorNew");
  if (code == INTERNAL && of_a_body(sentence) && from_the_program(__builtin_return_address(0))) code = INVALID_ARG;
  return next(code, sentence);
}

static double number_in(const char *path)
{
  double number = 0.0;
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0.0;
  if (fscanf(file, "%lf", &number) != 1) number = 0.0; /* "max" */
  fclose(file);
  return number;
}

static double most_bytes(void)
{
  static double most;
  if (most == 0.0) {
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE);
    double limit = number_in("/sys/fs/cgroup/memory.max");
    if (limit <= 0.0) limit = number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    most = (limit > 0.0 && limit < memory ? limit : memory) / 4.0;
  }
  return most;
}

EXPORT void *TRITONSERVER_InferenceRequestAddInput(
    void *request, const char *name, int datatype, const int64_t *shape, uint64_t dimensions)
{
  static add_input next;
  static byte_size size_of;
  if (next == NULL) {
    size_of = (byte_size)dlsym(RTLD_NEXT, "TRITONSERVER_DataTypeByteSize");
    next = (add_input)dlsym(RTLD_NEXT, "TRITONSERVER_InferenceRequestAddInput");
  }
  double bytes = size_of(datatype);
  if (bytes < 1.0) bytes = 1.0; /* text */
  for (uint64_t at = 0; at < dimensions; ++at) bytes *= (double)shape[at];
  if (bytes > most_bytes()) {
    char sentence[256];
    snprintf(sentence, sizeof sentence, "the shape of input '%.100s' needs more memory than the server has for it", name);
    return TRITONSERVER_ErrorNew(INVALID_ARG, sentence);
  }
  return next(request, name, datatype, shape, dimensions);
}
