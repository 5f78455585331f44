#include "json.h"

#include <stdlib.h>
#include <string.h>

static const char *past_space(const char *at) { return at + strspn(at, " \t\r\n"); }

static const char *past_string(const char *at)
{
  for (++at; *at != '\0' && *at != '"'; ++at)
    if (*at == '\\' && at[1] != '\0') ++at;
  return *at == '"' ? at + 1 : at;
}

static const char *past_value(const char *at)
{
  unsigned depth = 0;
  do {
    at = past_space(at);
    if (*at == '\0') return at;
    if (*at == '"') {
      at = past_string(at);
    } else if (*at == '{' || *at == '[') {
      ++depth, ++at;
    } else if (*at == '}' || *at == ']') {
      if (depth == 0) return at;
      --depth, ++at;
    } else if (*at == ',' || *at == ':') {
      if (depth == 0) return at;
      ++at;
    } else {
      at += strcspn(at, ",:{}[]\" \t\r\n");
    }
  } while (depth > 0);
  return at;
}

const char *json_first(const char *array)
{
  if (array == NULL || *array != '[') return NULL;
  array = past_space(array + 1);
  return *array == ']' || *array == '\0' ? NULL : array;
}

const char *json_next(const char *item)
{
  item = past_space(past_value(item));
  return *item == ',' ? past_space(item + 1) : NULL;
}

const char *json_member(const char *object, const char *name)
{
  if (object == NULL || *object != '{') return NULL;
  size_t length = strlen(name);
  const char *key = past_space(object + 1);
  while (*key == '"') {
    const char *end = past_string(key), *value = past_space(end);
    if (*value != ':') return NULL;
    value = past_space(value + 1);
    if ((size_t)(end - key) == length + 2 && strncmp(key + 1, name, length) == 0) return value;
    key = json_next(value);
    if (key == NULL) return NULL;
  }
  return NULL;
}

long json_number(const char *value, long otherwise)
{
  if (value == NULL) return otherwise;
  if (*value == '"') ++value;
  char *end;
  long number = strtol(value, &end, 10);
  return end == value ? otherwise : number;
}

static unsigned code_unit(const char *digits)
{
  char four[5] = {0};
  strncpy(four, digits, 4);
  return (unsigned)strtoul(four, NULL, 16);
}

static char *utf8(char *to, unsigned code)
{
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xC0 | code >> 6);
    *to++ = (char)(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *to++ = (char)(0xE0 | code >> 12);
    *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    *to++ = (char)(0x80 | (code & 0x3F));
  } else {
    *to++ = (char)(0xF0 | code >> 18);
    *to++ = (char)(0x80 | (code >> 12 & 0x3F));
    *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    *to++ = (char)(0x80 | (code & 0x3F));
  }
  return to;
}

/* After a backslash, at `*from`: writes what the escape stands for and moves behind it. */
static char *unescaped(char *to, const char **from)
{
  static const char short_forms[] = "b\bf\fn\nr\rt\t";
  char kind = *(*from)++;
  if (kind != 'u') {
    const char *known = strchr("bfnrt", kind) != NULL ? strchr(short_forms, kind) : NULL;
    *to++ = known != NULL ? known[1] : kind;
    return to;
  }
  unsigned code = code_unit(*from);
  *from += strnlen(*from, 4);
  if (code >= 0xD800 && code < 0xDC00 && (*from)[0] == '\\' && (*from)[1] == 'u') {
    code = 0x10000 + ((code - 0xD800) << 10) + (code_unit(*from + 2) - 0xDC00);
    *from += 2 + strnlen(*from + 2, 4);
  }
  return utf8(to, code);
}

char *json_string(const char *value)
{
  if (value == NULL || *value != '"') return NULL;
  char *copy = malloc((size_t)(past_string(value) - value) + 1), *to = copy;
  if (copy == NULL) return NULL;
  for (const char *from = value + 1; *from != '\0' && *from != '"';) {
    if (*from == '\\' && from[1] != '\0') {
      ++from;
      to = unescaped(to, &from);
    } else {
      *to++ = *from++;
    }
  }
  *to = '\0';
  return copy;
}
