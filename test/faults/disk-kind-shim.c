// LD_PRELOAD: every file system says that it is of the kind whose number (statfs, f_type) DISK_KIND_SHIM gives.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/vfs.h>

static int with_kind(int result, struct statfs *said) {
  const char *kind = getenv("DISK_KIND_SHIM");
  if (result == 0 && kind) said->f_type = strtol(kind, 0, 0);
  return result;
}

int statfs(const char *path, struct statfs *said) {
  int (*real)(const char *, struct statfs *) = dlsym(RTLD_NEXT, "statfs");
  return with_kind(real(path, said), said);
}

int statfs64(const char *path, struct statfs64 *said) {
  int (*real)(const char *, struct statfs64 *) = dlsym(RTLD_NEXT, "statfs64");
  return with_kind(real(path, said), (struct statfs *)said);
}
