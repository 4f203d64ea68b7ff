/* prctl and personality: a task's name, its signal at its parent's end, whether it dumps core.
 *
 * libc: both
 * prints:
 *     called a rather long n
 *     told by signal 10; 22 for 65
 *     dumpable 1, then 0; 22 for 3
 *     nobody knows 4711: 22
 *     personality 0, then 40000
 *     the child: personality 40000, told by 0, called a rather long n
 */
#include "guest.h"

static long ask(long option, const void *value)
{
    return raw_syscall(NR_prctl, option, (long)value, 0, 0, 0, 0);
}

int main(void)
{
    char name[17] = "";
    int signal = -1, status;
    check(ask(15, "a rather long name for a task") == 0 && ask(16, name) == 0);
    say("called %s\n", name);
    check(ask(1, (void *)10) == 0 && ask(2, &signal) == 0);
    say("told by signal %d; %ld for 65\n", signal, -ask(1, (void *)65));
    long first = ask(3, NULL);
    check(ask(4, (void *)0) == 0);
    long second = ask(3, NULL);
    say("dumpable %ld, then %ld; %ld for 3\n", first, second, -ask(4, (void *)3));
    say("nobody knows 4711: %ld\n", -ask(4711, NULL));
    long before = raw_syscall(NR_personality, 0x40000, 0, 0, 0, 0, 0);
    say("personality %lx, then %lx\n", before,
        raw_syscall(NR_personality, 0xffffffff, 0, 0, 0, 0, 0));
    pid_t child = fork();
    if (child == 0) {
        check(ask(2, &signal) == 0 && ask(16, name) == 0);
        say("the child: personality %lx, told by %d, called %s\n",
            raw_syscall(NR_personality, 0xffffffff, 0, 0, 0, 0, 0), signal, name);
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
