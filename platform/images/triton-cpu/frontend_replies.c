/* Keeps the replies that Triton's front end would lose.
 *
 * Triton 2.51 hands a finished reply to the thread of its connection through a stream socket to itself, and never looks
 * whether that took it. The kernel lets some 280 of them wait; of a burst to a server whose threads get no time for a
 * moment, as containers with a limit of CPU do, the rest is lost: those clients wait until they give up, on connections
 * that are never answered again. Loaded before libc (LD_PRELOAD), this library takes `send` of the program's own code:
 * what such a socket has no room for waits here, in memory, and a thread of ours sends it when there is. Nobody waits
 * for that thread, so that no two can wait for one another. The order among replies has no meaning: each has its own
 * connection.
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
  int socket;
  size_t size;
  char bytes[MOST_BYTES];
};

static send_call next_send;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct reply *waiting; /* the newest first */
static int has_thread;

/* Sends what there is room for; returns the rest, before what was `left` already. What cannot be sent at all is given
 * up, as it is without us. */
static struct reply *sent(struct reply *replies, struct reply *left)
{
  while (replies != NULL) {
    struct reply *this = replies;
    replies = this->next;
    ssize_t done = next_send(this->socket, this->bytes, this->size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      this->next = left;
      left = this;
    } else {
      free(this);
    }
  }
  return left;
}

static void *send_later(void *nothing)
{
  const struct timespec pause = {.tv_nsec = PAUSE_NANOSECONDS};
  struct reply *left = NULL;
  for (;;) {
    pthread_mutex_lock(&lock);
    while (left == NULL && waiting == NULL) pthread_cond_wait(&more, &lock);
    struct reply *new = waiting;
    waiting = NULL;
    pthread_mutex_unlock(&lock);
    if (left != NULL) nanosleep(&pause, NULL);
    left = sent(new, sent(left, NULL));
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

static int kept(int socket, const void *bytes, size_t size)
{
  pthread_once(&once, begin);
  struct reply *this = has_thread ? malloc(sizeof *this) : NULL;
  if (this == NULL) return 0;
  this->socket = socket;
  this->size = size;
  memcpy(this->bytes, bytes, size);
  pthread_mutex_lock(&lock);
  this->next = waiting;
  waiting = this;
  pthread_cond_signal(&more);
  pthread_mutex_unlock(&lock);
  return 1;
}

EXPORT ssize_t send(int socket, const void *bytes, size_t size, int flags)
{
  if (next_send == NULL) next_send = (send_call)dlsym(RTLD_NEXT, "send");
  ssize_t done = next_send(socket, bytes, size, flags);
  if (done >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK) || size > MOST_BYTES) return done;
  const int ours = from_the_program(__builtin_return_address(0)) && to_itself(socket);
  if (ours && kept(socket, bytes, size)) return (ssize_t)size;
  errno = EAGAIN;
  return -1;
}
