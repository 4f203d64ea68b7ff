/* eventfd: a counter read and written as a file, with and without EFD_SEMAPHORE.
 *
 * prints:
 *     starts at 5
 *     0 is nothing to read: 11
 *     3 and 4 make 7
 *     full: 11, all ones: 22, seven bytes: 22
 *     read 18446744073709551614
 *     one by one: 1 1, then 11
 *     the child adds 42: 42
 *     flags 8: 22
 */
#include "guest.h"

static int event(unsigned int count, long flags)
{
    return (int)raw_syscall(NR_eventfd2, count, flags, 0, 0, 0, 0);
}

static uint64_t take(int fd)
{
    uint64_t value = 0;
    return read(fd, &value, 8) == 8 ? value : (uint64_t)errno;
}

static int give(int fd, uint64_t value, size_t size)
{
    return write(fd, &value, size) < 0 ? errno : 0;
}

int main(void)
{
    int fd = event(5, O_NONBLOCK), status;
    check(fd >= 0);
    say("starts at %llu\n", (unsigned long long)take(fd));
    say("0 is nothing to read: %llu\n", (unsigned long long)take(fd));
    check(give(fd, 3, 8) == 0 && give(fd, 4, 8) == 0);
    say("3 and 4 make %llu\n", (unsigned long long)take(fd));
    check(give(fd, ~0ull - 1, 8) == 0);
    int full = give(fd, 1, 8), ones = give(fd, ~0ull, 8), seven = give(fd, 1, 7);
    say("full: %d, all ones: %d, seven bytes: %d\n", full, ones, seven);
    say("read %llu\n", (unsigned long long)take(fd));
    int semaphore = event(2, O_NONBLOCK | 1);
    unsigned long long first = take(semaphore), second = take(semaphore);
    say("one by one: %llu %llu, then %llu\n", first, second, (unsigned long long)take(semaphore));
    int waits = event(0, 0);
    pid_t child = fork();
    if (child == 0) {
        check(give(waits, 42, 8) == 0);
        _exit(0);
    }
    say("the child adds 42: %llu\n", (unsigned long long)take(waits));
    check(waitpid(child, &status, 0) == child && status == 0);
    say("flags 8: %d\n", -event(0, 8));
    return 0;
}
