/* Bad pointers, and what is found out before anybody looks at them.
 *
 * libc: musl
 * prints:
 *     a pipe without readers: 32, signal 13
 *     an empty pipe: 11, a full one: 11
 *     empty sockets: 11 11 11
 *     too long: 90 90 90, not too long: 14 14
 *     no events: 0, an event: 14, again: 1
 *     a counter: 14, then 11
 *     a level that TCP does not know: 95 92
 */
#include "sockets.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#define BAD ((void *)16)

static int came;

static void on_signal(int signal)
{
    came = signal;
}

static int result(long value)
{
    return value < 0 ? errno : (int)value;
}

int main(void)
{
    static char block[65536];
    int ends[2], stream[2], packet[2], datagram[2];
    check(signal(SIGPIPE, on_signal) != SIG_ERR && pipe(ends) == 0 && close(ends[0]) == 0);
    int one = result(write(ends[1], BAD, 1));
    say("a pipe without readers: %d, signal %d\n", one, came);
    check(pipe(ends) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    check(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    one = result(read(ends[0], BAD, 1));
    check(write(ends[1], block, sizeof block) == sizeof block);
    cr_point();
    say("an empty pipe: %d, a full one: %d\n", one, result(write(ends[1], BAD, 1)));
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, stream) == 0);
    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, packet) == 0);
    check(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, datagram) == 0);
    one = result(recv(stream[0], BAD, 1, 0));
    int two = result(read(packet[0], BAD, 1)), three = result(recv(datagram[0], BAD, 1, 0));
    say("empty sockets: %d %d %d\n", one, two, three);
    struct sockaddr_in name = inet_address(INADDR_LOOPBACK, 9);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    one = result(send(packet[0], BAD, 4000000, 0));
    two = result(send(datagram[0], BAD, 4000000, 0));
    three = result(sendto(udp, BAD, 70000, 0, (struct sockaddr *)&name, sizeof name));
    say("too long: %d %d %d, ", one, two, three);
    one = result(send(packet[0], BAD, 4, 0));
    say("not too long: %d %d\n", one, result(send(stream[0], BAD, 4, 0)));
    int set = epoll_create1(0), counter = eventfd(7, EFD_NONBLOCK);
    struct epoll_event event = {EPOLLIN, {0}};
    one = result(epoll_wait(set, BAD, 1, 0));
    check(epoll_ctl(set, EPOLL_CTL_ADD, counter, &event) == 0);
    cr_point();
    two = result(epoll_wait(set, BAD, 1, 0));
    say("no events: %d, an event: %d, again: %d\n", one, two, epoll_wait(set, &event, 1, 0));
    one = result(read(counter, BAD, 8));
    say("a counter: %d, then %d\n", one, result(read(counter, block, 8)));
    int tcp = socket(AF_INET, SOCK_STREAM, 0), value = 0;
    socklen_t length = sizeof value;
    one = result(getsockopt(tcp, 99, 1, &value, &length));
    say("a level that TCP does not know: %d %d\n", one,
        result(setsockopt(tcp, 99, 1, &value, sizeof value)));
    return 0;
}
