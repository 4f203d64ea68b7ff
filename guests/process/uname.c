/* The system names itself, and keeps its name.
 *
 * libc: both
 * prints:
 *     Linux
 *     the machine fits the program
 *     all names are the same afterwards
 */
#include "guest.h"

static int fits(const char *machine)
{
#ifdef __powerpc__
    return strcmp(machine, "ppc64") == 0 || (sizeof(long) == 4 && strcmp(machine, "ppc") == 0);
#else
    int small = machine[0] == 'i' && strcmp(machine + 2, "86") == 0;
    return strcmp(machine, "x86_64") == 0 || (sizeof(long) == 4 && small);
#endif
}

int main(void)
{
    static struct utsname names, later;
    check(uname(&names) == 0);
    say("%s\n", names.sysname);
    check(names.release[0] >= '0' && names.release[0] <= '9' && names.version[0]);
    if (fits(names.machine))
        say("the machine fits the program\n");
    else
        say("machine %s?\n", names.machine);
    cr_point();
    check(uname(&later) == 0);
    check(strcmp(names.nodename, later.nodename) == 0 && strcmp(names.release, later.release) == 0);
    check(strcmp(names.version, later.version) == 0 && strcmp(names.machine, later.machine) == 0);
    say("all names are the same afterwards\n");
    return 0;
}
