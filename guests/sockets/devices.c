/* The loopback device of a new network namespace, asked for by ioctl and by netlink, as a libc does
 * for getifaddrs: first it is down and has no address, then it is switched on.
 *
 * prints:
 *     down: flags 8, index 1, hardware 772, no address: 99, listed 0
 *     netlink: lo 1 flags 8; addresses:
 *     up by netlink: 0
 *     up: flags 49, address 127.0.0.1, mask 255.0.0.0, listed 1
 *     netlink: lo 1 flags 10049; addresses: 127.0.0.1/8 ::1/128
 *     only IPv4: 127.0.0.1/8
 *     by name: lo, by number: lo, another: 19 19
 *     errors: 19 95, acknowledged: 0
 *     bound: family 16, a number, taken by another: 98
 */
#include "sockets.h"

enum { NETLINK = 16, RAW = 3, NEWNET = 0x40000000 };
enum { GETLINK = 18, NEWLINK = 16, GETADDR = 22, NEWADDR = 20, DONE = 3, ERROR = 2 };
enum { REQUEST = 1, ACK = 4, DUMP = 0x300, UP = 1 };
enum { IFCONF = 0x8912, IFNAME = 0x8910, IFFLAGS = 0x8913, IFADDR = 0x8915, IFMASK = 0x891b,
       IFINDEX = 0x8933, IFHWADDR = 0x8927 };

struct request_of_device {
    char name[16];
    union {
        struct sockaddr_in address;
        short flags;
        int number;
        unsigned short family;
        char room[sizeof(long) == 8 ? 24 : 16];
    } u;
};
struct list_of_devices {
    int length;
    struct request_of_device *list;
};
struct head {
    unsigned int length;
    unsigned short type, flags;
    unsigned int sequence, pid;
};
struct link {
    unsigned char family, pad;
    unsigned short type;
    int index;
    unsigned int flags, change;
};
struct address {
    unsigned char family, prefix, flags, scope;
    unsigned int index;
};
struct attribute {
    unsigned short length, type;
};
struct netlink_name {
    unsigned short family, pad;
    unsigned int port, groups;
};

static int udp, routes;
static union {
    struct head head;
    char bytes[8192];
} answer;

static int device(unsigned long what, struct request_of_device *request, const char *name)
{
    memset(request, 0, sizeof *request);
    strcpy(request->name, name);
    return ioctl(udp, what, request) < 0 ? errno : 0;
}

static void ask(int type, int flags, int family, int index, const char *name, unsigned int state)
{
    struct {
        struct head head;
        struct link link;
        struct attribute attribute;
        char name[16];
    } request;
    memset(&request, 0, sizeof request);
    request.head.length = sizeof request.head + sizeof request.link;
    request.head.type = (unsigned short)type;
    request.head.flags = (unsigned short)(REQUEST | flags);
    request.head.sequence = 7;
    request.link.family = (unsigned char)family;
    request.link.index = index;
    request.link.flags = state;
    request.link.change = state;
    if (name) {
        request.attribute.length = (unsigned short)(sizeof request.attribute + strlen(name) + 1);
        request.attribute.type = 3;
        strcpy(request.name, name);
        request.head.length += 20;
    }
    check(write(routes, &request, request.head.length) == (ssize_t)request.head.length);
}

/* The number of an error or an acknowledgment. */
static int told(void)
{
    check(read(routes, &answer, sizeof answer) > 0 && answer.head.sequence == 7);
    return answer.head.type == ERROR ? -*(int *)(answer.bytes + sizeof answer.head) : -1;
}

static void show_link(struct head *head)
{
    struct link *link = (struct link *)(head + 1);
    char *at = (char *)(link + 1), *end = (char *)head + head->length;
    const char *name = "?";
    while (at + 4 <= end) {
        struct attribute *attribute = (struct attribute *)at;
        if (attribute->type == 3)
            name = at + 4;
        at += (attribute->length + 3) & ~3;
    }
    say("netlink: %s %d flags %x; addresses:", name, link->index, link->flags);
}

static void show_address(struct head *head)
{
    struct address *address = (struct address *)(head + 1);
    unsigned char *host = (unsigned char *)(address + 1) + 4;
    if (address->family == AF_INET)
        say(" %d.%d.%d.%d/%d", host[0], host[1], host[2], host[3], address->prefix);
    else
        say(" ::%d/%d", host[15], address->prefix);
}

static void dump(int type, int family)
{
    ask(type, DUMP, family, 0, NULL, 0);
    for (;;) {
        ssize_t size = read(routes, &answer, sizeof answer);
        check(size > 0);
        for (char *at = answer.bytes; at < answer.bytes + size;) {
            struct head *head = (struct head *)at;
            if (head->type == DONE)
                return;
            if (head->type == NEWLINK)
                show_link(head);
            else if (head->type == NEWADDR)
                show_address(head);
            at += (head->length + 3) & ~3u;
        }
    }
}

int main(void)
{
    struct request_of_device request, entries[4];
    struct list_of_devices list = {sizeof entries, entries};
    if (raw_syscall(NR_unshare, NEWNET, 0, 0, 0, 0, 0) != 0)
        return 1;
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    routes = socket(NETLINK, RAW, 0);
    check(udp >= 0 && routes >= 0);
    check(device(IFFLAGS, &request, "lo") == 0);
    int flags = request.u.flags;
    check(device(IFINDEX, &request, "lo") == 0);
    int index = request.u.number;
    check(device(IFHWADDR, &request, "lo") == 0);
    int hardware = request.u.family, none = device(IFADDR, &request, "lo");
    check(ioctl(udp, IFCONF, &list) == 0);
    say("down: flags %x, index %d, hardware %d, no address: %d, listed %d\n", flags, index,
        hardware, none, list.length / (int)sizeof entries[0]);
    dump(GETLINK, 0);
    dump(GETADDR, 0);
    say("\n");
    ask(NEWLINK, ACK, 0, 1, NULL, UP);
    say("up by netlink: %d\n", told());
    check(device(IFFLAGS, &request, "lo") == 0);
    flags = request.u.flags;
    check(device(IFADDR, &request, "lo") == 0);
    unsigned char *host = (unsigned char *)&request.u.address.sin_addr;
    say("up: flags %x, address %d.%d.%d.%d, mask ", flags, host[0], host[1], host[2], host[3]);
    check(device(IFMASK, &request, "lo") == 0);
    list.length = sizeof entries;
    check(ioctl(udp, IFCONF, &list) == 0);
    say("%d.%d.%d.%d, listed %d\n", host[0], host[1], host[2], host[3],
        list.length / (int)sizeof entries[0]);
    dump(GETLINK, 0);
    dump(GETADDR, 0);
    say("\nonly IPv4:");
    dump(GETADDR, AF_INET);
    memset(&request, 0, sizeof request);
    request.u.number = 1;
    check(ioctl(udp, IFNAME, &request) == 0);
    ask(GETLINK, 0, 0, 0, "lo", 0);
    check(read(routes, &answer, sizeof answer) > 0 && answer.head.type == NEWLINK);
    say("\nby name: lo, by number: %s, another: ", request.name);
    say("%d ", device(IFINDEX, &request, "x"));
    request.u.number = 99;
    say("%d\n", ioctl(udp, IFNAME, &request) < 0 ? errno : 0);
    ask(GETLINK, 0, 0, 0, "none", 0);
    int nobody = told();
    ask(200, 0, 0, 0, NULL, 0);
    int strange = told();
    ask(NEWLINK, ACK, 0, 0, "lo", UP);
    say("errors: %d %d, acknowledged: %d\n", nobody, strange, told());
    struct netlink_name name;
    socklen_t length = sizeof name;
    check(getsockname(routes, (struct sockaddr *)&name, &length) == 0 && name.port);
    int other = socket(NETLINK, RAW, 0);
    int taken = bind(other, (struct sockaddr *)&name, sizeof name) < 0 ? errno : 0;
    say("bound: family %d, a number, taken by another: %d\n", name.family, taken);
    return 0;
}
