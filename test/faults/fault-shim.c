/*
 * Stands between a process and its disk (LD_PRELOAD). What it does to calls on one kind of file is said in a small file that
 * is mapped into memory, so that a test changes it while the process runs. Nothing here depends on the product.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* In the order of `SHIM_FIELDS`, 32 bits each. An action is an errno, or one of those below; 0 does nothing. */
enum { KILL_BEFORE = -1, KILL_AFTER = -2, SWALLOW = -3 };
struct faults {
  int32_t sync_action, sync_after, sync_times, sync_delay_ms;
  int32_t write_action, write_after, write_times;
  int32_t syncs, writes, hits, hit_thread;
};

static volatile struct faults *faults;
static const char *suffix;

__attribute__((constructor)) static void open_faults(void) {
  const char *path = getenv("FAULT_SHIM_FILE");
  suffix = getenv("FAULT_SHIM_SUFFIX");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof(struct faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) faults = at;
  close(fd);
}

static int is_meant(int fd) {
  char link[32] = "/proc/self/fd/", path[4096], digits[12];
  size_t n = 0, at = strlen(link);
  if (!faults || fd < 0) return 0;
  do digits[n++] = '0' + fd % 10; while ((fd /= 10) > 0);
  while (n > 0) link[at++] = digits[--n];
  ssize_t length = readlink(link, path, sizeof path);
  size_t wanted = suffix ? strlen(suffix) : 0;
  return length >= (ssize_t)wanted && (wanted == 0 || memcmp(path + length - wanted, suffix, wanted) == 0);
}

/* The `after`th call from now, and `times` calls in all (a negative number: every one). */
static int32_t take(volatile int32_t *action, volatile int32_t *after, volatile int32_t *times) {
  if (*action == 0 || *times == 0 || __sync_sub_and_fetch(after, 1) > 0) return 0;
  if (*times > 0 && __sync_sub_and_fetch(times, 1) < 0) return 0;
  faults->hit_thread = (int32_t)syscall(SYS_gettid);
  __sync_add_and_fetch(&faults->hits, 1);
  return *action;
}

static int synced(int fd, const char *name) {
  int (*real)(int) = dlsym(RTLD_NEXT, name);
  if (!is_meant(fd)) return real(fd);
  __sync_add_and_fetch(&faults->syncs, 1);
  if (faults->sync_delay_ms > 0) {
    struct timespec delay = {faults->sync_delay_ms / 1000, faults->sync_delay_ms % 1000 * 1000000L};
    nanosleep(&delay, NULL);
  }
  int32_t action = take(&faults->sync_action, &faults->sync_after, &faults->sync_times);
  if (action == SWALLOW) return 0;
  if (action == KILL_BEFORE) kill(getpid(), SIGKILL);
  if (action > 0) {
    errno = action;
    return -1;
  }
  int result = real(fd);
  if (action == KILL_AFTER) kill(getpid(), SIGKILL);
  return result;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

static ssize_t written(int fd, const void *bytes, size_t count, off64_t at) {
  ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
  if (!is_meant(fd)) return real(fd, bytes, count, at);
  __sync_add_and_fetch(&faults->writes, 1);
  int32_t action = take(&faults->write_action, &faults->write_after, &faults->write_times);
  if (action == KILL_BEFORE) kill(getpid(), SIGKILL);
  if (action > 0) {
    errno = action;
    return -1;
  }
  /* A torn write: half of it reaches the file. */
  ssize_t result = real(fd, bytes, action == KILL_AFTER ? count / 2 : count, at);
  if (action == KILL_AFTER) kill(getpid(), SIGKILL);
  return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { return written(fd, bytes, count, at); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return written(fd, bytes, count, at); }
