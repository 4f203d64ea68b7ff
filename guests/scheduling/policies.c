/* Scheduling policies: what each allows, what the others refuse, who inherits.
 *
 * prints:
 *     policy 0 priority 0
 *     fifo 1 to 99, other 0 to 0, unknown 22
 *     batch: 3
 *     batch cannot have a priority: 22
 *     fifo needs one: 22
 *     nobody: 3, less than nobody: 22, nothing: 22
 *     the child: 3
 *     processors: 8 bytes or less, the first is ours; none: 22
 *     best effort 3: 4003, class 5: 22
 */
#include "guest.h"

static long scheduler(long pid, long policy, const int *priority)
{
    return raw_syscall(NR_sched_setscheduler, pid, policy, (long)priority, 0, 0, 0);
}

static long one(long nr, long a)
{
    return raw_syscall(nr, a, 0, 0, 0, 0, 0);
}

int main(void)
{
    int priority = -1, zero = 0, five = 5, status;
    unsigned long mask[16];
    long policy = one(NR_sched_getscheduler, 0);
    check(raw_syscall(NR_sched_getparam, 0, (long)&priority, 0, 0, 0, 0) == 0);
    say("policy %ld priority %d\n", policy, priority);
    say("fifo %ld to %ld, other %ld to %ld, unknown %ld\n", one(NR_sched_get_priority_min, 1),
        one(NR_sched_get_priority_max, 1), one(NR_sched_get_priority_min, 0),
        one(NR_sched_get_priority_max, 0), -one(NR_sched_get_priority_max, 77));
    check(scheduler(0, 3, &zero) == 0);
    say("batch: %ld\n", one(NR_sched_getscheduler, getpid()));
    say("batch cannot have a priority: %ld\n", -scheduler(0, 3, &five));
    say("fifo needs one: %ld\n", -scheduler(0, 1, &zero));
    say("nobody: %ld, less than nobody: %ld, nothing: %ld\n", -scheduler(0x3fffffff, 3, &zero),
        -one(NR_sched_getscheduler, -1), -scheduler(0, 3, NULL));
    pid_t child = fork();
    if (child == 0) {
        say("the child: %ld\n", one(NR_sched_getscheduler, 0));
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child && status == 0);
    memset(mask, 0, sizeof mask);
    long bytes = raw_syscall(NR_sched_getaffinity, 0, sizeof mask, (long)mask, 0, 0, 0);
    check(bytes > 0 && mask[0]);
    check(raw_syscall(NR_sched_setaffinity, 0, sizeof mask, (long)mask, 0, 0, 0) == 0);
    memset(mask, 0, sizeof mask);
    say("processors: 8 bytes or less, the first is ours; none: %ld\n",
        -raw_syscall(NR_sched_setaffinity, 0, sizeof mask, (long)mask, 0, 0, 0));
    check(raw_syscall(NR_ioprio_set, 1, 0, 0x4003, 0, 0, 0) == 0);
    say("best effort 3: %lx, class 5: %ld\n",
        raw_syscall(NR_ioprio_get, 1, 0, 0, 0, 0, 0),
        -raw_syscall(NR_ioprio_set, 1, 0, 0xa003, 0, 0, 0));
    return 0;
}
