/* A wall clock of its own for the process that preloads this: CLOCK_REALTIME plus an offset in nanoseconds,
 * read anew each time from the 8 bytes of the file that DASHA_WALL_CLOCK names. The offset may change while
 * the process runs: its clock steps then, as when NTP or a person sets it. CLOCK_MONOTONIC stays as it is.
 *
 * Waits until a time of the wall clock end by the stepped clock: they look at it every 50 ms.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define SLICE (SECOND / 20)
/* No machine runs for 30 years: a wait until a later time is one of the wall clock, an earlier one is steady. */
#define SINCE_1970 (30LL * 365 * 24 * 3600)

static const int64_t *offset_ns;

__attribute__((constructor)) static void open_offset(void) {
    const char *path = getenv("DASHA_WALL_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) offset_ns = mapped;
}

static int64_t ns_of(const struct timespec *t) { return t->tv_sec * SECOND + t->tv_nsec; }

static struct timespec time_of(int64_t ns) {
    return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

static int64_t offset(void) { return offset_ns ? __atomic_load_n(offset_ns, __ATOMIC_RELAXED) : 0; }

static int64_t true_ns(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return ns_of(&now);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) *now = time_of(ns_of(now) + offset());
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec t = time_of(true_ns() + offset());
    *now = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *to) {
    time_t now = (true_ns() + offset()) / SECOND;
    if (to) *to = now;
    return now;
}

static void *libc(const char *name, const char *version) {
    void *found = dlvsym(RTLD_NEXT, name, version);
    return found ? found : dlsym(RTLD_NEXT, name);
}

/* When to look again at the latest, on the true clock; *due is set where the time has come by then. */
static struct timespec next_look(const struct timespec *until, int *due) {
    int64_t now = true_ns(), end = ns_of(until) - offset();
    *due = end <= now + SLICE;
    return time_of(*due ? end : now + SLICE);
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
    static int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!wait) wait = libc("pthread_cond_timedwait", "GLIBC_2.3.2");
    if (until->tv_sec < SINCE_1970) return wait(cond, mutex, until);
    int due;
    struct timespec look = next_look(until, &due);
    int result = wait(cond, mutex, &look);
    /* Woken for nothing, as POSIX allows: the caller looks at its condition and waits again. */
    return result == ETIMEDOUT && !due ? 0 : result;
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until) {
    static int (*wait)(sem_t *, const struct timespec *);
    if (!wait) wait = libc("sem_timedwait", "GLIBC_2.34");
    for (;;) {
        int due;
        struct timespec look = next_look(until, &due);
        int failed = wait(sem, &look);
        if (!failed || errno != ETIMEDOUT || due) return failed;
    }
}

/* Locks are held for less than a look: these wait by the clock as it is when they are called. */
#define TIMED(name, lock_t, version)                                     \
    int name(lock_t *restrict lock, const struct timespec *restrict until) { \
        static int (*wait)(lock_t *, const struct timespec *);               \
        if (!wait) wait = libc(#name, version);                              \
        struct timespec real = time_of(ns_of(until) - offset());             \
        return wait(lock, &real);                                            \
    }

TIMED(pthread_mutex_timedlock, pthread_mutex_t, "GLIBC_2.34")
TIMED(pthread_rwlock_timedrdlock, pthread_rwlock_t, "GLIBC_2.34")
TIMED(pthread_rwlock_timedwrlock, pthread_rwlock_t, "GLIBC_2.34")
