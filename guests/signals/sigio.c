/* O_ASYNC on a pipe: SIGIO tells the owner that there is something to read, or room to write; with
 * F_SETSIG by another signal, which says for which descriptor.
 *
 * order: any
 * prints:
 *     no owner, no signal
 *     the owner is this process, SIGIO came
 *     a group, and none
 *     signal 41: code 1, descriptor 7, readable
 *     room again: signal 42, code 2
 *     off: no signal
 *     the end of the writer: SIGIO came
 *     regular files ignore it
 */
#include "guest.h"

static volatile int count, number, code, band, descriptor;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    char *fields = (char *)info + (sizeof(long) == 8 ? 16 : 12);
    (void)context;
    count++;
    number = signal;
    code = info->si_code;
    band = (int)*(long *)fields;
    descriptor = *(int *)(fields + sizeof(long));
}

static int came(void)
{
    int n = count;
    count = 0;
    return n;
}

int main(void)
{
    struct sigaction action;
    int ends[2];
    char byte;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    for (int signal = 41; signal <= 42; signal++)
        check(sigaction(signal, &action, NULL) == 0);
    check(sigaction(29, &action, NULL) == 0);
    check(pipe(ends) == 0 && dup2(ends[0], 7) == 7 && close(ends[0]) == 0);
    check(fcntl(7, F_GETOWN) == 0 && fcntl(7, F_SETFL, O_ASYNC) == 0);
    check(fcntl(7, F_GETFL) == O_ASYNC);
    check(write(ends[1], "a", 1) == 1 && came() == 0);
    say("no owner, no signal\n");
    check(fcntl(7, F_SETOWN, getpid()) == 0 && fcntl(7, F_GETOWN) == getpid());
    check(write(ends[1], "b", 1) == 1 && number == 29 && came() == 1);
    say("the owner is this process, SIGIO came\n");
    check(fcntl(7, F_SETOWN, -getpgrp()) == 0);
    check(raw_syscall(NR_fcntl, 7, F_GETOWN, 0, 0, 0, 0) == -getpgrp());
    check(fcntl(7, F_SETOWN, 0) == 0 && fcntl(7, F_GETOWN) == 0);
    check(write(ends[1], "c", 1) == 1 && came() == 0);
    say("a group, and none\n");
    check(fcntl(7, F_SETOWN, getpid()) == 0 && fcntl(7, F_SETSIG, 41) == 0);
    check(fcntl(7, F_SETSIG, 65) == -1 && errno == EINVAL);
    check(write(ends[1], "d", 1) == 1 && came() == 1);
    check(band & 1);
    say("signal %d: code %d, descriptor %d, readable\n", number, code, descriptor);
    check(fcntl(7, F_SETFL, 0) == 0 && fcntl(ends[1], F_SETOWN, getpid()) == 0);
    check(fcntl(ends[1], F_SETSIG, 42) == 0 && fcntl(ends[1], F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
    static char drain[4096];
    while (write(ends[1], drain, sizeof drain) > 0)
        ;
    check(came() == 0);
    for (int i = 0; i < 16; i++)
        check(read(7, drain, sizeof drain) > 0);
    check(came() > 0);
    say("room again: signal %d, code %d\n", number, code);
    check(fcntl(ends[1], F_SETFL, 0) == 0 && write(ends[1], "e", 1) == 1);
    check(read(7, &byte, 1) == 1 && came() == 0);
    say("off: no signal\n");
    check(fcntl(7, F_SETSIG, 0) == 0 && fcntl(7, F_SETFL, O_ASYNC) == 0);
    check(close(ends[1]) == 0 && number == 29 && came() == 1);
    say("the end of the writer: SIGIO came\n");
    int file = open("regular", O_RDWR | O_CREAT, 0644);
    check(fcntl(file, F_SETFL, O_ASYNC) == 0 && (fcntl(file, F_GETFL) & O_ASYNC) == 0);
    say("regular files ignore it\n");
    return 0;
}
