/* What every story includes.
 *
 * A story is written in plain POSIX. Built freestanding, the names come from our own small runtime
 * (posix.h); built with -DGUEST_HOSTED they come from the C library. Either way it has
 *
 *     say(format, ...)     one line of console text, written at once: %d %u %x %s %c %ld %lld ...
 *     check(condition)     if it does not hold: say which, and exit with status 1
 *     cr_point()           a harmless system call that marks a good place for a checkpoint
 *     raw_syscall(...)     the bare trap; NR_getppid and its like are its numbers
 *     fold(sum, data, n)   a running checksum, the same in every mode
 *
 * Nothing that differs from run to run may be said: no pids, no addresses, no times.
 */
#ifndef GUEST_H
#define GUEST_H

#ifdef GUEST_HOSTED
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "arch/this.h"
#else
#include "posix.h"
#endif

#include "syscall_numbers.h"

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check_failed(const char *condition, int line) __attribute__((noreturn));
uint32_t fold(uint32_t sum, const void *data, size_t size_bytes);
uint32_t fold_number(uint32_t sum, uint64_t number);

#define check(condition)                           \
    do {                                           \
        if (!(condition))                          \
            check_failed(#condition, __LINE__);    \
    } while (0)

static inline void cr_point(void)
{
    raw_syscall(NR_getppid, 0, 0, 0, 0, 0, 0);
}

#endif
