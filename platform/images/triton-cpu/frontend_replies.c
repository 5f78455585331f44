/* Keeps the replies that Triton's front end would lose.
 *
 * Triton 2.51 hands a finished reply to the thread of its connection through a stream socket to itself, and never looks
 * whether that took it. The kernel lets some 280 of them wait; of a burst to a server whose threads get no time for a
 * moment, as containers with a limit of CPU do, the rest is lost: those clients wait until they give up, on connections
 * that are never answered again. Loaded before libc (LD_PRELOAD), this library takes `send` of the program's own code:
 * what such a socket has no room for waits here, in memory, and a thread of ours sends it when there is. Nobody waits
 * for room, so that no two can wait for one another. What goes to one socket keeps its order: an answer that comes in
 * pieces (/generate_stream) is a begin, its pieces and an end, which frees the request.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "frontend.h"

enum { MOST_BYTES = 64, PAUSE_NANOSECONDS = 500000 };

typedef ssize_t (*send_call)(int socket, const void *bytes, size_t size, int flags);

struct reply {
  struct reply *next;
  size_t size;
  char bytes[MOST_BYTES];
};

/* What waits for one socket, the oldest first. There are as many as threads that answer, and they stay. */
struct line {
  struct line *next;
  int socket;
  struct reply *first, *last;
};

static send_call next_send;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct line *lines;
static size_t waiting; /* in all lines; whoever has put a reply there sees it */
static int has_thread;

static int has_no_room(ssize_t done) { return done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR); }

/* Sends what there is room for. What cannot be sent at all is given up, as it is without us. */
static void send_first(struct line *line)
{
  while (line->first != NULL) {
    struct reply *this = line->first;
    if (has_no_room(next_send(line->socket, this->bytes, this->size, MSG_DONTWAIT | MSG_NOSIGNAL))) return;
    line->first = this->next;
    __atomic_sub_fetch(&waiting, 1, __ATOMIC_RELAXED);
    free(this);
  }
}

static void *send_later(void *nothing)
{
  const struct timespec pause = {.tv_nsec = PAUSE_NANOSECONDS};
  for (;;) {
    pthread_mutex_lock(&lock);
    while (waiting == 0) pthread_cond_wait(&more, &lock);
    for (struct line *line = lines; line != NULL; line = line->next) send_first(line);
    pthread_mutex_unlock(&lock);
    nanosleep(&pause, NULL);
  }
  return nothing;
}

static void begin(void)
{
  sigset_t all, before;
  pthread_t thread;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own threads */
  has_thread = pthread_create(&thread, NULL, send_later, NULL) == 0;
  if (has_thread) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int to_itself(int socket)
{
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

/* The line of a socket; NULL where there is no memory for one. */
static struct line *line_of(int socket)
{
  for (struct line *line = lines; line != NULL; line = line->next)
    if (line->socket == socket) return line;
  struct line *made = calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  made->socket = socket;
  made->next = lines;
  return lines = made;
}

/* Sends it, or lets it wait behind what waits for that socket; -1 and errno where neither can be done. */
static ssize_t sent_in_order(int socket, const void *bytes, size_t size, int flags)
{
  struct line *line = line_of(socket);
  if (line == NULL || line->first == NULL) {
    ssize_t done = next_send(socket, bytes, size, flags | MSG_DONTWAIT); /* nobody waits while he holds the lock */
    if (line == NULL || !has_no_room(done)) return done;
  }
  struct reply *this = has_thread ? malloc(sizeof *this) : NULL;
  if (this == NULL) {
    errno = EAGAIN;
    return -1;
  }
  this->next = NULL;
  this->size = size;
  memcpy(this->bytes, bytes, size);
  if (line->first == NULL)
    line->first = this;
  else
    line->last->next = this;
  line->last = this;
  if (__atomic_add_fetch(&waiting, 1, __ATOMIC_RELAXED) == 1) pthread_cond_signal(&more);
  return (ssize_t)size;
}

EXPORT ssize_t send(int socket, const void *bytes, size_t size, int flags)
{
  if (next_send == NULL) next_send = (send_call)dlsym(RTLD_NEXT, "send");
  if (__atomic_load_n(&waiting, __ATOMIC_RELAXED) == 0) {
    ssize_t done = next_send(socket, bytes, size, flags);
    if (!has_no_room(done) || errno == EINTR) return done;
  }
  if (size > MOST_BYTES || !from_the_program(__builtin_return_address(0)) || !to_itself(socket))
    return next_send(socket, bytes, size, flags);
  pthread_once(&once, begin);
  pthread_mutex_lock(&lock);
  ssize_t done = sent_in_order(socket, bytes, size, flags);
  pthread_mutex_unlock(&lock);
  return done;
}
