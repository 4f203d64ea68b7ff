/* Calls that no signal lets go on, not even a stop with SIGCONT and no handler: with SA_RESTART too they
 * end with EINTR.
 *
 * prints:
 *     semop:          handler EINTR, SA_RESTART EINTR, stopped EINTR
 *     sigtimedwait:   handler EINTR, SA_RESTART EINTR, stopped EINTR
 *     recv:           handler EINTR, SA_RESTART EINTR, stopped EINTR
 *     epoll_wait:     handler EINTR, SA_RESTART EINTR, stopped EINTR
 */
#include "sysv.h"
#include "sockets.h"
#include "interrupted.h"

enum { SEMOP, SIGTIMEDWAIT, RECV, EPOLL_WAIT, CALLS };

static int pair[2], set, watched;

long sleep_in(int call)
{
    char byte, events[64];
    sigset_t wanted;
    struct sembuf take = {0, -1, 0};
    switch (call) {
    case SEMOP:
        return semop(set, &take, 1) == 0 ? 0 : -errno;
    case SIGTIMEDWAIT:
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGUSR2);
        return raw_syscall(NR_rt_sigtimedwait, (long)&wanted, 0, 0, 8, 0, 0);
    case RECV: /* with a time limit: without one it would be begun again */
        return recv(pair[0], &byte, 1, 0) == 0 ? 0 : -errno;
    default:
        return raw_syscall(NR_epoll_wait, watched, (long)events, 1, -1, 0, 0);
    }
}

int main(void)
{
    static const char *const names[] = {
        "semop:       ", "sigtimedwait:", "recv:        ", "epoll_wait:  ",
    };
    struct timeval minute = {60, 0};
    set = semget(IPC_PRIVATE, 1, 0600);
    watched = raw_syscall(NR_epoll_create, 1, 0, 0, 0, 0, 0);
    check(set >= 0 && watched >= 0);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    check(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute) == 0);
    for (int call = 0; call < CALLS; call++) {
        const char *handled = outcome(call, HANDLER);
        const char *restarted = outcome(call, WITH_RESTART);
        say("%s   handler %s, SA_RESTART %s, stopped %s\n", names[call], handled, restarted,
            outcome(call, STOPPED));
    }
    check(semctl(set, 0, IPC_RMID, (union semun){.val = 0}) == 0);
    return 0;
}
