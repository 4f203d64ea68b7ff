/* Ends by a signal that it sends to itself: the default action of SIGTERM.
 *
 * libc: both
 * exits: 143
 * prints: good bye
 */
#include "guest.h"

int main(void)
{
    say("good bye\n");
    cr_point();
    raise(SIGTERM);
    say("not reached\n");
    return 0;
}
