/* What a kernel of January 2009 refused, and with which errno; what was refused changed nothing.
 *
 * abi: v13
 * arches: x86_32 ppc32 ppc64
 * prints:
 *     a flag: EINVAL, no descriptor: EBADF, nobody: ESRCH, pid 0: ESRCH
 *     a device: EBADF, a pipe: EBADF
 *     shared memory: ENOSYS, a handler: ENOSYS, a dead child: EAGAIN
 *     nothing was written
 *     restart: a flag EINVAL, no descriptor EBADF, the end EPIPE, another format EINVAL
 *     cut anywhere: EPIPE
 *     still here
 */
#include "v13.h"

#define IMAGE "/tmp/image"
#define OTHER "/tmp/other"

static char buffer[70000];

static void nothing(int signo)
{
    (void)signo;
}

/* Whether a child gets `wanted`, after `how` has made it what it is. */
static void in_a_child(void (*how)(void), long wanted)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        keep_nothing_open();
        int image = fresh(IMAGE);
        how();
        long result = checkpoint_then(getpid(), image, 0);
        struct stat at;
        check(stat(IMAGE, &at) == 0 && (result > 0) == (at.st_size > 0));
        _exit(result == wanted ? 0 : 1);
    }
    check(waitpid(child, &status, 0) == child);
    check(status == 0);
}

static void as_it_is(void)
{
    /* It has a file, and memory of its own. */
}

static void with_a_device(void)
{
    check(open("/dev/null", O_RDWR) > 0);
}

static void with_a_pipe(void)
{
    int ends[2];
    check(pipe(ends) == 0);
}

static void with_shared_memory(void)
{
    check(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) !=
          MAP_FAILED);
}

static void with_a_handler(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = nothing;
    check(sigaction(SIGUSR1, &action, NULL) == 0);
}

static void with_a_dead_child(void)
{
    int ends[2];
    char none;
    check(pipe(ends) == 0);
    if (fork() == 0)
        _exit(0);
    /* The child was the last to have the other end. */
    close(ends[1]);
    check(read(ends[0], &none, 1) == 0);
    close(ends[0]);
    sched_yield();
}

static long become(const char *name, long size)
{
    int fd = fresh(OTHER), from = open(name, O_RDONLY);
    check(from >= 0);
    long count = read(from, buffer, sizeof buffer);
    check(count > 0 && count < (long)sizeof buffer);
    check(size < count);
    check(write(fd, buffer, size) == size && lseek(fd, 0, SEEK_SET) == 0);
    long result = restart_then(getpid(), fd, 0);
    close(fd);
    close(from);
    return result;
}

int main(void)
{
    int image = fresh(IMAGE), empty = fresh("/tmp/empty");
    check(checkpoint_then(getpid(), image, 1) == -EINVAL);
    check(checkpoint_then(getpid(), 99, 0) == -EBADF);
    check(checkpoint_then(4000, image, 0) == -ESRCH);
    check(checkpoint_then(0, image, 0) == -ESRCH);
    say("a flag: EINVAL, no descriptor: EBADF, nobody: ESRCH, pid 0: ESRCH\n");
    in_a_child(with_a_device, -EBADF);
    in_a_child(with_a_pipe, -EBADF);
    say("a device: EBADF, a pipe: EBADF\n");
    in_a_child(with_shared_memory, -ENOSYS);
    in_a_child(with_a_handler, -ENOSYS);
    in_a_child(with_a_dead_child, -EAGAIN);
    say("shared memory: ENOSYS, a handler: ENOSYS, a dead child: EAGAIN\n");
    say("nothing was written\n");
    in_a_child(as_it_is, 1);
    check(restart_then(getpid(), image, 1) == -EINVAL);
    check(restart_then(getpid(), 99, 0) == -EBADF);
    check(restart_then(getpid(), empty, 0) == -EPIPE);
    memset(buffer, 0x55, 4096);
    check(write(empty, buffer, 4096) == 4096 && lseek(empty, 0, SEEK_SET) == 0);
    check(restart_then(getpid(), empty, 0) == -EINVAL);
    say("restart: a flag EINVAL, no descriptor EBADF, the end EPIPE, another format EINVAL\n");
    struct stat whole;
    check(stat(IMAGE, &whole) == 0 && whole.st_size > 5000);
    for (int part = 0; part < 8; part++)
        check(become(IMAGE, 1 + (whole.st_size - 2) * part / 7) == -EPIPE);
    say("cut anywhere: EPIPE\n");
    say("still here\n");
    return 0;
}
