#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>

#include "backend.h"

static bool read_two(const char *path, double *first, double *second)
{
  FILE *file = fopen(path, "r");
  if (file == NULL) return false;
  int found = fscanf(file, "%lf %lf", first, second); /* "max 100000" gives none */
  fclose(file);
  return found >= 1;
}

/* CPUs that the container's limit comes to; 0 where there is none. */
static double limit(void)
{
  double quota = 0, period = 0, nothing;
  if (read_two("/sys/fs/cgroup/cpu.max", &quota, &period)) return quota > 0 && period > 0 ? quota / period : 0;
  if (read_two("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &quota, &nothing) &&
      read_two("/sys/fs/cgroup/cpu/cpu.cfs_period_us", &period, &nothing))
    return quota > 0 && period > 0 ? quota / period : 0;
  return 0;
}

/* CPUs this container may use: the smaller of its affinity and its limit, rounded up, at least 1. */
int usable_cpus(void)
{
  cpu_set_t set;
  int affinity = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  double limited = limit();
  if (limited <= 0 || limited >= affinity) return affinity;
  int whole = (int)limited;
  return whole < limited ? whole + 1 : whole;
}
