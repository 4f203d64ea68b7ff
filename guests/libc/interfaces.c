/* getifaddrs and if_nameindex of the C library find the loopback device.
 *
 * libc: musl
 * prints:
 *     lo: index 1, up, loopback
 *     127.0.0.1 mask 255.0.0.0
 *     by index: lo, by name: 1
 */
#include "guest.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

int main(void)
{
    struct ifaddrs *all;
    char text[64];
    check(getifaddrs(&all) == 0);
    for (struct ifaddrs *each = all; each; each = each->ifa_next) {
        if (strcmp(each->ifa_name, "lo") != 0 || !each->ifa_addr)
            continue;
        if (each->ifa_addr->sa_family == AF_PACKET)
            say("lo: index %d, %s, %s\n", (int)if_nametoindex("lo"),
                each->ifa_flags & IFF_UP ? "up" : "down",
                each->ifa_flags & IFF_LOOPBACK ? "loopback" : "another");
        if (each->ifa_addr->sa_family == AF_INET) {
            struct sockaddr_in *mask = (struct sockaddr_in *)each->ifa_netmask;
            inet_ntop(AF_INET, &((struct sockaddr_in *)each->ifa_addr)->sin_addr, text, 64);
            say("%s ", text);
            inet_ntop(AF_INET, &mask->sin_addr, text, sizeof text);
            say("mask %s\n", text);
        }
    }
    freeifaddrs(all);
    struct if_nameindex *names = if_nameindex();
    check(names != NULL && if_indextoname(1, text) != NULL);
    say("by index: %s, by name: %d\n", text, (int)if_nametoindex("lo"));
    if_freenameindex(names);
    return 0;
}
