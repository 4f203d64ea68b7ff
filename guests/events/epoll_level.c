/* epoll: level and edge triggered, one-shot, the order of news, and what is refused.
 *
 * prints:
 *     nothing yet: 0
 *     level: 1 7/1
 *     level again: 1 7/1
 *     emptied: 0
 *     edge: 1 8/1
 *     edge again: 0
 *     edge, more came: 1 8/1
 *     once: 1 9/1
 *     once again: 0
 *     armed again: 1 9/1
 *     writable: 1 10/4
 *     closed on the other side: 1 11/10
 *     two, one at a time: 1 1/1
 *     two, one at a time: 1 2/1
 *     two, one at a time: 1 1/1
 *     twice: 17, not there: 2, a plain file: 1, itself: 22, bad number: 22, closed: 9
 *     nobody watches a closed file: 0
 *     no room: -22
 */
#include "epoll.h"

static int pair[2], set;

static void fresh(void)
{
    check(pipe(pair) == 0);
    set = set_new();
    check(set >= 0);
}

static void done(void)
{
    close(set);
    close(pair[0]);
    close(pair[1]);
}

static void triggers(void)
{
    char byte;
    fresh();
    check(control(set, ADD, pair[0], IN, 7) == 0);
    news(set, "nothing yet", 8, 0);
    check(write(pair[1], "a", 1) == 1);
    news(set, "level", 8, -1);
    news(set, "level again", 8, 0);
    check(read(pair[0], &byte, 1) == 1);
    news(set, "emptied", 8, 0);
    check(control(set, MOD, pair[0], IN | ET, 8) == 0 && write(pair[1], "b", 1) == 1);
    news(set, "edge", 8, 0);
    news(set, "edge again", 8, 0);
    check(write(pair[1], "c", 1) == 1);
    news(set, "edge, more came", 8, 0);
    check(control(set, MOD, pair[0], IN | ONESHOT, 9) == 0);
    news(set, "once", 8, 0);
    check(write(pair[1], "d", 1) == 1);
    news(set, "once again", 8, 0);
    check(control(set, MOD, pair[0], IN | ONESHOT, 9) == 0);
    news(set, "armed again", 8, 0);
    check(control(set, ADD, pair[1], OUT, 10) == 0);
    news(set, "writable", 8, 0);
    done();
    fresh();
    check(control(set, ADD, pair[0], IN, 11) == 0);
    close(pair[1]);
    news(set, "closed on the other side", 8, 0);
    done();
}

int main(void)
{
    struct event event;
    triggers();
    fresh();
    int one = (int)raw_syscall(NR_eventfd2, 1, 0, 0, 0, 0, 0);
    int two = (int)raw_syscall(NR_eventfd2, 2, 0, 0, 0, 0, 0);
    check(control(set, ADD, one, IN, 1) == 0 && control(set, ADD, two, IN, 2) == 0);
    for (int i = 0; i < 3; i++)
        news(set, "two, one at a time", 1, 0);
    int plain = open("plain", O_RDWR | O_CREAT, 0600);
    say("twice: %d, not there: %d, a plain file: %d, itself: %d, bad number: %d, closed: %d\n",
        control(set, ADD, one, IN, 1), control(set, DEL, pair[0], 0, 0),
        control(set, ADD, plain, IN, 0), control(set, ADD, set, IN, 0), control(set, 9, one, 0, 0),
        control(set, ADD, 77, IN, 0));
    close(one);
    close(two);
    news(set, "nobody watches a closed file", 8, 0);
    say("no room: %ld\n", raw_syscall(NR_epoll_wait, set, (long)&event, 0, 0, 0, 0));
    done();
    return 0;
}
