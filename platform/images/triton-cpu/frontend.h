/* What the two halves of the library that is loaded before Triton share. */
#ifndef MODELYARD_FRONTEND_H
#define MODELYARD_FRONTEND_H

#define EXPORT __attribute__((visibility("default")))

/* Whether the code at this address is the program's own, tritonserver's, and no library's. */
int from_the_program(void *caller);

#endif
