// Preloaded under a child of a test: of what is written to a file, the system takes a part.
//
// GATEPASS_TEST_MOST: so many bytes a call at most.
// GATEPASS_TEST_LIMIT: a symbolic link, whose text is the largest size that a file may have (RLIMIT_FSIZE) while it is
//     being written to. Before and after there is no limit, so whoever looks for one doesn't see it coming.
// GATEPASS_TEST_TALLY: a file for how many calls took a part, written when the process ends.

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long in_part;

static ssize_t write_below(const char *limit, int file, const void *bytes, size_t length) {
    char text[24] = "";
    if (!limit || readlink(limit, text, sizeof text - 1) < 1)
        return syscall(SYS_write, file, bytes, length);
    struct rlimit before, during;
    getrlimit(RLIMIT_FSIZE, &before);
    during = before;
    during.rlim_cur = strtoul(text, NULL, 10);
    setrlimit(RLIMIT_FSIZE, &during);
    ssize_t taken = syscall(SYS_write, file, bytes, length);
    int error = errno;
    setrlimit(RLIMIT_FSIZE, &before);
    errno = error;
    return taken;
}

ssize_t write(int file, const void *bytes, size_t length) {
    struct stat about;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))
        return syscall(SYS_write, file, bytes, length);
    const char *most = getenv("GATEPASS_TEST_MOST");
    size_t asked = length;
    if (most && strtoul(most, NULL, 10) < length)
        length = strtoul(most, NULL, 10);
    ssize_t taken = write_below(getenv("GATEPASS_TEST_LIMIT"), file, bytes, length);
    in_part += taken > 0 && (size_t)taken < asked;
    return taken;
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("GATEPASS_TEST_TALLY");
    FILE *tally = path ? fopen(path, "w") : NULL;
    if (tally) {
        fprintf(tally, "%lu", in_part);
        fclose(tally);
    }
}
