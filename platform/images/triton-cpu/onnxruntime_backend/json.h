/* Reads JSON that Triton itself wrote. A value is the text that begins with it; NULL is what is not there. */
#ifndef MODELYARD_JSON_H
#define MODELYARD_JSON_H

const char *json_member(const char *object, const char *name);
const char *json_first(const char *array);
const char *json_next(const char *item);
/* Numbers may stand in quotes, as protobuf writes those of 64 bits. */
long json_number(const char *value, long otherwise);
/* A copy that the caller frees; NULL where there is no string. */
char *json_string(const char *value);

#endif
